import type { Fingerprint } from "./consumer.ts";

/** What extended attributes say, in words; what they hold besides is a fingerprint, for it may be anything. */
export type Xattrs = {
  /** As getcap(8) prints it: `cap_net_raw=ep`. */
  readonly capabilities?: string;
  /** As getfacl(1)'s short text has it, ids as numbers: `u::rw-,u:1000:r--,g::r--,m::r--,o::---`. */
  readonly acl?: string;
  /** Of a directory: what is made in it gets this. */
  readonly defaultAcl?: string;
  readonly xattrs?: Readonly<Record<string, string>>;
};

/** Attributes that are labels, and shown as they are. */
const LABELS = new Set(["security.selinux", "security.SMACK64", "security.SMACK64EXEC", "security.apparmor"]);

export function describeXattrs(xattrs: ReadonlyMap<string, Uint8Array> | undefined, fingerprint: Fingerprint): Xattrs {
  const known: Record<string, string> = {};
  const others: [string, string][] = [];
  for (const [name, value] of xattrs ?? []) {
    const [key, text] = readKnown(name, value);
    if (key !== undefined && text !== undefined) known[key] = text;
    else if (LABELS.has(name)) others.push([name, Buffer.from(value).toString("latin1").replace(/\0+$/, "")]);
    else others.push([name, fingerprint(Buffer.from(value).toString("latin1"))]);
  }
  return { ...known, ...(others.length > 0 ? { xattrs: Object.fromEntries(others) } : {}) };
}

function readKnown(name: string, value: Uint8Array): [keyof Xattrs | undefined, string | undefined] {
  if (name === "security.capability") return ["capabilities", capabilities(value)];
  if (name === "system.posix_acl_access") return ["acl", acl(value)];
  if (name === "system.posix_acl_default") return ["defaultAcl", acl(value)];
  return [undefined, undefined];
}

/** <linux/capability.h>, by number. */
const CAPABILITIES = (
  "chown dac_override dac_read_search fowner fsetid kill setgid setuid setpcap linux_immutable net_bind_service " +
  "net_broadcast net_admin net_raw ipc_lock ipc_owner sys_module sys_rawio sys_chroot sys_ptrace sys_pacct sys_admin " +
  "sys_boot sys_nice sys_resource sys_time sys_tty_config mknod lease audit_write audit_control setfcap mac_override " +
  "mac_admin syslog wake_alarm block_suspend audit_read perfmon bpf checkpoint_restore"
).split(" ");

/** struct vfs_ns_cap_data, <linux/capability.h>; undefined for what is none. */
function capabilities(value: Uint8Array): string | undefined {
  const words = wordsOf(value);
  const [magic = 0] = words;
  const revision = magic >>> 24;
  const pairs = revision === 1 ? 1 : 2;
  const length = { 1: 3, 2: 5, 3: 6 }[revision];
  if (length === undefined || words.length !== length) return undefined;
  const isEffective = (magic & 1) !== 0;
  const isSet = (which: 0 | 1, bit: number) => (((words[1 + 2 * (bit >> 5) + which] ?? 0) >>> (bit & 31)) & 1) !== 0;
  const groups = new Map<string, string[]>();
  for (let bit = 0; bit < 32 * pairs; bit++) {
    const [permitted, inheritable] = [isSet(0, bit), isSet(1, bit)];
    if (!permitted && !inheritable) continue;
    const flags = (isEffective ? "e" : "") + (inheritable ? "i" : "") + (permitted ? "p" : "");
    groups.set(flags, [...(groups.get(flags) ?? []), `cap_${CAPABILITIES[bit] ?? bit}`]);
  }
  const clauses = [...groups].map(
    ([flags, names]) => `${names.length === CAPABILITIES.length ? "" : names.join(",")}=${flags}`,
  );
  const root = revision === 3 ? words[5] : 0;
  return [...(clauses.length > 0 ? clauses : ["="]), ...(root === 0 ? [] : [`[rootid=${root}]`])].join(" ");
}

/** Tags of struct posix_acl_xattr_entry, <linux/posix_acl_xattr.h>; undefined for what is none. */
const ACL_TAGS: Readonly<Record<number, string>> = { 0x01: "u", 0x02: "u", 0x04: "g", 0x08: "g", 0x10: "m", 0x20: "o" };
const NAMED = 0x02 | 0x08;

function acl(value: Uint8Array): string | undefined {
  if (value.length < 4 || (value.length - 4) % 8 !== 0 || wordsOf(value.subarray(0, 4))[0] !== 2) return undefined;
  const view = new DataView(value.buffer, value.byteOffset, value.length);
  const entries: string[] = [];
  for (let at = 4; at < value.length; at += 8) {
    const [tag, bits] = [view.getUint16(at, true), view.getUint16(at + 2, true)];
    const letter = ACL_TAGS[tag];
    if (letter === undefined) return undefined;
    const id = (tag & NAMED) !== 0 ? view.getUint32(at + 4, true) : "";
    const allowed = [4, 2, 1].map((bit, i) => ((bits & bit) !== 0 ? "rwx"[i] : "-")).join("");
    entries.push(`${letter}:${id}:${allowed}`);
  }
  return entries.join(",");
}

/** Little-endian, as the kernel keeps both on every machine. */
function wordsOf(value: Uint8Array): number[] {
  const view = new DataView(value.buffer, value.byteOffset, value.length);
  return Array.from({ length: value.length >> 2 }, (_, i) => view.getUint32(4 * i, true));
}
