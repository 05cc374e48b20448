// Techniques that change what is reached by the path, by mounts; and what no hook sees.
import { block, fanotify, modified, ONE, onFile, type Technique, TWO } from "./technique.ts";

const byNobody = fanotify.mount("actor", "right");
const other = { before: { f: ONE, source: TWO } };
const inDirectory = { before: { "d/f": ONE, "e/f": TWO }, watch: ["d/f"] };
const mounted = { before: { d: { mount: "tmpfs" }, "d/f": ONE }, watch: ["d/f"], ...byNobody } as const;

/** Covered by another file, and seen again. */
const coveredByTwo = [
  [{ action: "covered", from: ONE, to: TWO }],
  [{ action: "uncovered", from: TWO, to: ONE }],
] as const;
/** Covered by a mount in which there is no such file. */
const coveredByNothing = [[{ action: "covered", from: ONE }], [{ action: "uncovered", to: ONE }]] as const;

export const mounts: readonly Technique[] = [
  onFile("bind-over-file", undefined, { ...other, rounds: [...coveredByTwo, []], ...byNobody }),
  onFile("bind-over-directory", undefined, { ...inDirectory, rounds: [...coveredByTwo, []], ...byNobody }),
  onFile("tmpfs-over-directory", undefined, { ...inDirectory, rounds: [...coveredByNothing, []], ...byNobody }),
  onFile("tmpfs-over-ancestor", undefined, {
    before: { "d/s/u/f": ONE },
    watch: ["d/s/u/f"],
    rounds: [...coveredByNothing, []],
    ...byNobody,
  }),
  onFile("move-mount-over-file", undefined, { ...other, rounds: [...coveredByTwo, []], ...byNobody }),
  onFile("mount-move-over-directory", undefined, { ...inDirectory, rounds: [...coveredByTwo, []], ...byNobody }),
  onFile("umount", { action: "deleted", from: ONE }, mounted),
  onFile("umount-detached", { action: "deleted", from: ONE }, mounted),
  onFile("remount-read-only", undefined, { ...inDirectory, rounds: [[], []] }),
];

/** Only where the disk below is the test's own. */
export const unseen: readonly Technique[] = [
  onFile("block-device", modified(block("a"), block("x")), {
    inVmOnly: true,
    since: { tmpfs: false, btrfs: false, overlay: false },
    limits: {
      "": { verdicts: ["unseen"], reason: "the disk below the file system is written; no call names the file" },
    },
  }),
];
