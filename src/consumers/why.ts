/**
 * What a change of a file can mean, by its path: the first row that matches counts. The directories
 * are those of Debian, Fedora and SUSE; a path below --root is as it is there.
 */
const MEANINGS: readonly (readonly [path: RegExp, why: string])[] = [
  [/^\/etc\/passwd$/, "says who is who: uid 0 is root"],
  [/^\/etc\/g?shadow$/, "holds the passwords that let people in"],
  [/^\/etc\/group$/, "says who shares a group's rights, sudo and docker among them"],
  [/^\/etc\/sudoers(?:\.d\/.+)?$/, "grants root through sudo"],
  [/^\/etc\/security\/access\.(?:conf|d\/.+)$/, "says who may log in, and from where"],
  [/^\/etc\/ssh\/(?:sshd_config|(?!ssh_config\.d\/).+\.conf)$/, "says who may log in over ssh, and how"],
  [/\/authorized_keys2?$/, "lets whoever has the key log in"],
  [/^\/etc\/pam\.(?:d\/.+|conf)$/, "decides how people are authenticated: a module here sees every password"],
  [/^\/etc\/ld\.so\.preload$/, "runs code in every dynamically linked program"],
  [/^\/etc\/ld\.so\.conf(?:\.d\/.+)?$/, "says where programs load their libraries from"],
  [/^\/etc\/nsswitch\.conf$/, "says who answers for users and hosts, and loads code for it into every program"],
  [
    /^\/etc\/(?:crontab|anacrontab|cron\.(?:d|hourly|daily|weekly|monthly)\/.+)$/,
    "runs commands as any user, at set times",
  ],
  [/^\/var\/spool\/(?:cron|at)\/.+$/, "runs a user's commands at set times"],
  [/^\/etc\/cron\.(?:allow|deny)$/, "says who may run commands at set times"],
  [
    /^(?:\/etc|\/usr\/lib|\/lib|\/usr\/local\/lib|\/run)\/systemd\/system(?:\/.+)?$/,
    "runs programs as root when the system or a service starts",
  ],
  [/^(?:\/etc|\/usr\/lib)\/systemd\/user(?:\/.+)?$/, "runs programs in every user's session"],
  [/^\/etc\/(?:rc\.local|init\.d\/.+|rc[0-6S]?\.d\/.+)$/, "runs programs as root when the system starts"],
  [
    /^\/etc\/(?:profile(?:\.d\/.+)?|bash\.bashrc|bashrc|environment|zsh\/.+)$/,
    "runs in, or is set for, every login shell",
  ],
];

/** In a few words; undefined for what nothing is known of. */
export function whyOf(path: string): string | undefined {
  return MEANINGS.find(([pattern]) => pattern.test(path))?.[1];
}
