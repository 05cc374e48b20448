import { BpfinkError, ExitStatus } from "../errors.ts";
import { SystemError, hasCode } from "../kernel/errno.ts";
import { fstatfs } from "../kernel/libc.ts";

/** Why fanotify_init(2) refused, and what helps. Anything but a failed system call is returned as it is. */
export function initRefused(error: unknown): unknown {
  if (!(error instanceof SystemError)) return error;
  return new BpfinkError(ExitStatus.cannotWatch, `fanotify cannot be used: ${error.message}`, initRemedy(error), {
    cause: error,
  });
}

function initRemedy(error: SystemError): string {
  switch (error.code) {
    case "EPERM":
      return "run as root, or give the process CAP_SYS_ADMIN (in the initial user namespace)";
    case "EINVAL":
      return "this kernel's fanotify reports no names: Linux 5.9 or newer is needed";
    case "ENOSYS":
      return "this kernel was built without CONFIG_FANOTIFY, or a system-call filter forbids fanotify_init";
    case "EMFILE":
      return "raise fs.fanotify.max_user_groups (sysctl) or the limit of open files";
    default:
      return "see fanotify_init(2)";
  }
}

/** Why an inode cannot be watched for a reason that stays. `fd` is open on it, if it could be opened. */
export function markRefused(error: unknown, path: string, fd: number | undefined): unknown {
  if (!(error instanceof SystemError)) return error;
  const where = fd === undefined ? "" : ` on ${fileSystem(fd)}`;
  const message = `cannot watch ${path}${where} with fanotify: ${error.message}`;
  return new BpfinkError(ExitStatus.cannotWatch, message, markRemedy(error), { cause: error });
}

function markRemedy(error: SystemError): string {
  if (hasCode(error, "ENODEV", "EOPNOTSUPP", "EXDEV", "EOVERFLOW")) {
    return (
      "this file system gives fanotify no stable file ids here (overlay and btrfs subvolumes do from Linux 6.6 and 6.8 on): " +
      "use the ebpf backend, or watch the path outside of this mount"
    );
  }
  if (hasCode(error, "EACCES", "EPERM")) return "bpfink must be able to read what it watches: run it as root";
  if (hasCode(error, "ENOMEM", "ENOSPC")) return "watch fewer files, or raise fs.fanotify.max_user_marks (sysctl)";
  return "see fanotify_mark(2)";
}

/** Magic numbers of <linux/magic.h> for file systems that people run into. */
const names: Readonly<Record<number, string>> = {
  0x01021994: "tmpfs",
  0x01021997: "9p",
  0x2011bab0: "exfat",
  0x4d44: "vfat",
  0x58465342: "xfs",
  0x62656572: "sysfs",
  0x65735546: "fuse",
  0x6969: "nfs",
  0x73717368: "squashfs",
  0x794c7630: "overlay",
  0x858458f6: "ramfs",
  0x9123683e: "btrfs",
  0x9660: "iso9660",
  0x9fa0: "proc",
  0xe0f5e1e2: "erofs",
  0xef53: "ext4",
  0xfe534d42: "smb2",
  0xff534d42: "cifs",
};

function fileSystem(fd: number): string {
  try {
    const { type } = fstatfs(fd);
    return names[type] ?? `file system 0x${type.toString(16)}`;
  } catch {
    return "an unknown file system";
  }
}
