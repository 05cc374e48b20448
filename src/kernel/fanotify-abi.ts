/**
 * Numbers of <linux/fanotify.h>, under their own names, as of Linux 6.18. Where a number is newer
 * than the oldest kernel that fanotify.ts runs on (5.9), the version that brought it stands beside it.
 */

// fanotify_init(2) flags
export const FAN_CLOEXEC = 0x1;
export const FAN_NONBLOCK = 0x2;
export const FAN_CLASS_NOTIF = 0x0;
export const FAN_UNLIMITED_QUEUE = 0x10;
export const FAN_UNLIMITED_MARKS = 0x20;
/** 5.15, af579beb666a "fanotify: add pidfd support to the fanotify API". */
export const FAN_REPORT_PIDFD = 0x80;
export const FAN_REPORT_FID = 0x200;
export const FAN_REPORT_DIR_FID = 0x400;
/** 5.9, 929943b38daf "fanotify: add support for FAN_REPORT_NAME". */
export const FAN_REPORT_NAME = 0x800;
export const FAN_REPORT_DFID_NAME = FAN_REPORT_DIR_FID | FAN_REPORT_NAME;
/** 5.17, d61fd650e9d2 "fanotify: introduce group flag FAN_REPORT_TARGET_FID". */
export const FAN_REPORT_TARGET_FID = 0x1000;

/** 6.15, 0f46d81f2bce "fanotify: notify on mount attach and detach"; so are FAN_MNT_… and FAN_MARK_MNTNS. */
export const FAN_REPORT_MNT = 0x4000;

// Event bits, both for marks and in fanotify_event_metadata.mask. All fit 32 bits.
export const FAN_MODIFY = 0x2;
export const FAN_ATTRIB = 0x4;
export const FAN_CLOSE_WRITE = 0x8;
export const FAN_MOVED_FROM = 0x40;
export const FAN_MOVED_TO = 0x80;
export const FAN_CREATE = 0x100;
export const FAN_DELETE = 0x200;
export const FAN_DELETE_SELF = 0x400;
export const FAN_MOVE_SELF = 0x800;
export const FAN_Q_OVERFLOW = 0x4000;
export const FAN_MNT_ATTACH = 0x0100_0000;
export const FAN_MNT_DETACH = 0x0200_0000;
export const FAN_EVENT_ON_CHILD = 0x0800_0000;
/** 5.17, 8cc3b1ccd930 "fanotify: wire up FAN_RENAME event". */
export const FAN_RENAME = 0x1000_0000;
export const FAN_ONDIR = 0x4000_0000;

// fanotify_mark(2) flags
export const FAN_MARK_ADD = 0x1;
export const FAN_MARK_REMOVE = 0x2;
export const FAN_MARK_MNTNS = 0x110;

// struct fanotify_event_metadata { u32 event_len; u8 vers; u8 reserved; u16 metadata_len; u64 mask; s32 fd; s32 pid; }
export const FANOTIFY_METADATA_VERSION = 3;
export const FAN_EVENT_METADATA_LEN = 24;

// Information records: struct fanotify_event_info_header { u8 info_type; u8 pad; u16 len; }
export const FAN_EVENT_INFO_TYPE_FID = 1;
export const FAN_EVENT_INFO_TYPE_DFID_NAME = 2;
export const FAN_EVENT_INFO_TYPE_DFID = 3;
export const FAN_EVENT_INFO_TYPE_PIDFD = 4;
export const FAN_EVENT_INFO_TYPE_MNT = 7;
export const FAN_EVENT_INFO_TYPE_OLD_DFID_NAME = 10;
export const FAN_EVENT_INFO_TYPE_NEW_DFID_NAME = 12;

/** The process was gone before its event was read. */
export const FAN_NOPIDFD = -1;
/** The kernel could not make a pidfd (too many open files, for one). */
export const FAN_EPIDFD = -2;
