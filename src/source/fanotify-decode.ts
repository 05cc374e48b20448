import { pathText } from "../paths.ts";
import type { ChangeKind, NodeKey } from "../event.ts";
import {
  FANOTIFY_METADATA_VERSION,
  FAN_ATTRIB,
  FAN_CLOSE_WRITE,
  FAN_CREATE,
  FAN_DELETE,
  FAN_DELETE_SELF,
  FAN_EVENT_INFO_TYPE_DFID,
  FAN_EVENT_INFO_TYPE_DFID_NAME,
  FAN_EVENT_INFO_TYPE_FID,
  FAN_EVENT_INFO_TYPE_MNT,
  FAN_EVENT_INFO_TYPE_NEW_DFID_NAME,
  FAN_EVENT_INFO_TYPE_OLD_DFID_NAME,
  FAN_EVENT_INFO_TYPE_PIDFD,
  FAN_EVENT_METADATA_LEN,
  FAN_MODIFY,
  FAN_MOVED_FROM,
  FAN_MOVED_TO,
  FAN_MOVE_SELF,
  FAN_RENAME,
} from "../kernel/fanotify-abi.ts";

/** One event as the kernel wrote it, the file handles made keys. */
export interface FanotifyEvent {
  /** FAN_… bits. More than one where the kernel merged events of one process on one object. */
  readonly mask: number;
  /** Thread group, as our PID namespace numbers it; 0 when it has no number here. */
  readonly pid: number;
  /** A descriptor that the receiver must close, FAN_NOPIDFD, FAN_EPIDFD; undefined when none was asked for. */
  readonly pidfd: number | undefined;
  /** The object itself. */
  readonly node: NodeKey | undefined;
  /** Its directory entry; for FAN_RENAME the old one before the new, or the one of them whose directory is watched. */
  readonly entries: readonly { readonly directory: NodeKey; readonly name: string }[];
  /** Unique id of a mount that came or went. */
  readonly mount?: bigint | undefined;
}

export interface Decoded {
  readonly events: readonly FanotifyEvent[];
  /** Bytes at the end that are no event of this version, and anything after them: lost. */
  readonly rest: number;
}

/**
 * Decodes what one or more read(2) calls on a fanotify descriptor returned: fanotify(7), "Reading
 * fanotify events". read(2) never splits an event. Total over all inputs: an event that does not
 * make sense ends the decoding, an information record that does not ends the event's records.
 */
export function decodeEvents(bytes: Uint8Array): Decoded {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const events: FanotifyEvent[] = [];
  let at = 0;
  while (bytes.length - at >= FAN_EVENT_METADATA_LEN) {
    const length = view.getUint32(at, true);
    const headLength = view.getUint16(at + 6, true);
    const valid =
      view.getUint8(at + 4) === FANOTIFY_METADATA_VERSION &&
      headLength >= FAN_EVENT_METADATA_LEN &&
      headLength <= length &&
      length <= bytes.length - at;
    if (!valid) break;
    events.push(decodeEvent(bytes, view, at, headLength, at + length));
    at += length;
  }
  return { events, rest: bytes.length - at };
}

function decodeEvent(bytes: Uint8Array, view: DataView, at: number, headLength: number, end: number): FanotifyEvent {
  let node: NodeKey | undefined;
  let pidfd: number | undefined;
  let mount: bigint | undefined;
  const entries: { directory: NodeKey; name: string }[] = [];
  for (let info = at + headLength; end - info >= 4;) {
    const type = view.getUint8(info);
    const infoEnd = info + view.getUint16(info + 2, true);
    if (infoEnd < info + 4 || infoEnd > end) break;
    switch (type) {
      case FAN_EVENT_INFO_TYPE_FID:
        node = decodeFid(bytes, view, info, infoEnd)?.key ?? node;
        break;
      case FAN_EVENT_INFO_TYPE_DFID:
      case FAN_EVENT_INFO_TYPE_DFID_NAME:
      case FAN_EVENT_INFO_TYPE_OLD_DFID_NAME:
      case FAN_EVENT_INFO_TYPE_NEW_DFID_NAME: {
        const fid = decodeFid(bytes, view, info, infoEnd);
        if (fid === undefined) break;
        // fanotify(7): the name of an event on a directory itself is ".".
        const name = type === FAN_EVENT_INFO_TYPE_DFID ? "." : fid.name;
        if (name === ".") node ??= fid.key;
        else if (name !== "") entries.push({ directory: fid.key, name });
        break;
      }
      case FAN_EVENT_INFO_TYPE_PIDFD:
        if (infoEnd - info >= 8) pidfd = view.getInt32(info + 4, true);
        break;
      case FAN_EVENT_INFO_TYPE_MNT:
        // struct fanotify_event_info_mnt: header, padding, u64
        if (infoEnd - info >= 16) mount = view.getBigUint64(info + 8, true);
        break;
    }
    info = infoEnd;
  }
  // The upper half of the 64-bit mask holds no bit that we ask for.
  return { mask: view.getUint32(at + 8, true), pid: view.getInt32(at + 20, true), pidfd, node, entries, mount };
}

/** struct fanotify_event_info_fid: header (4), fsid (8), struct file_handle { u32 bytes; s32 type; u8 handle[] }, name. */
function decodeFid(bytes: Uint8Array, view: DataView, info: number, end: number) {
  const handle = info + 20;
  if (end < handle) return undefined;
  const handleLength = view.getUint32(info + 12, true);
  const handleEnd = handle + handleLength;
  // An event without an object (an overflow) has an empty handle.
  if (handleEnd > end || handleLength === 0) return undefined;
  const key = nodeKey(bytes.subarray(info + 4, info + 12), {
    type: view.getInt32(info + 16, true),
    bytes: bytes.subarray(handle, handleEnd),
  });
  const nul = bytes.indexOf(0, handleEnd);
  const name = nul === -1 || nul >= end ? "" : pathText(bytes.subarray(handleEnd, nul));
  return { key, name };
}

/** The identity of an inode on this host: `fsid:handle-type:handle`, as fanotify reports and name_to_handle_at(2) tells it. */
export function nodeKey(fsid: Uint8Array, handle: { readonly type: number; readonly bytes: Uint8Array }): NodeKey {
  return `${fsid.toHex()}:${handle.type}:${handle.bytes.toHex()}` as NodeKey;
}

/** Inverse of nodeKey. */
export function handleOf(key: NodeKey): { readonly type: number; readonly bytes: Uint8Array } {
  const [, type = "", hex = ""] = key.split(":");
  return { type: Number(type), bytes: Uint8Array.fromHex(hex) };
}

/** Where a file handle has the generation of its inode, in bytes: enum fid_type of linux/exportfs.h. */
const GENERATION_AT: Readonly<Record<number, number>> = {
  0x01: 4, // FILEID_INO32_GEN: most file systems, ext4 among them
  0x4d: 16, // FILEID_BTRFS_WITHOUT_PARENT
  0x81: 8, // FILEID_INO64_GEN: xfs
};

/** Generation of the inode with this key, which tells it from others with its number; undefined where its file system tells none. */
export function generationOf(key: NodeKey): number | undefined {
  const { type, bytes } = handleOf(key);
  const at = GENERATION_AT[type];
  if (at === undefined || bytes.length < at + 4) return undefined;
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(at, true);
}

/** Bytes of the inode number, by the kind of handle that has it at its beginning, then the generation, and no more. */
const INODE_BYTES: Readonly<Record<number, 4 | 8>> = {
  0x01: 4,
  0x81: 8,
};

/** Number of the inode with this key, where its handle is made of that and the generation. Not to be trusted: fuse has its halves the other way round. */
export function inodeOf(key: NodeKey): bigint | undefined {
  const { type, bytes } = handleOf(key);
  const size = INODE_BYTES[type];
  if (size === undefined || bytes.length !== size + 4) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return size === 4 ? BigInt(view.getUint32(0, true)) : view.getBigUint64(0, true);
}

/** The key of another inode of the same file system, where handles are so; undefined where they are not. */
export function withInode(key: NodeKey, inode: bigint, generation: number | undefined): NodeKey | undefined {
  const [fsid = "", type = ""] = key.split(":");
  const size = INODE_BYTES[Number(type)];
  if (size === undefined || generation === undefined) return undefined;
  const bytes = new Uint8Array(size + 4);
  const view = new DataView(bytes.buffer);
  if (size === 4) view.setUint32(0, Number(BigInt.asUintN(32, inode)), true);
  else view.setBigUint64(0, inode, true);
  view.setUint32(size, generation, true);
  return nodeKey(Uint8Array.fromHex(fsid), { type: Number(type), bytes });
}

const kinds: readonly (readonly [bits: number, kind: ChangeKind])[] = [
  [FAN_CREATE, "birth"],
  [FAN_MODIFY, "write"],
  [FAN_ATTRIB, "attributes"],
  [FAN_CLOSE_WRITE, "close"],
  [FAN_RENAME | FAN_MOVED_FROM | FAN_MOVED_TO | FAN_MOVE_SELF, "rename"],
  [FAN_DELETE | FAN_DELETE_SELF, "gone"],
];

/**
 * What a mask says happened. A merged event says that all of it happened, not in which order:
 * a name with `birth` and `gone` may exist or not, which is for the look to find.
 */
export function kindsOf(mask: number): ChangeKind[] {
  return kinds.filter(([bits]) => (mask & bits) !== 0).map(([, kind]) => kind);
}
