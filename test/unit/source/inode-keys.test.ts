import { expect, test } from "bun:test";
import fc from "fast-check";
import type { NodeKey } from "../../../src/event.ts";
import { nodeKey as kernelsKey } from "../../../src/source/decode.ts";
import { generationOf, inodeOf, nodeKey, withInode } from "../../../src/source/fanotify-decode.ts";
import { InodeKeys } from "../../../src/source/inode-keys.ts";

const bytes = (...words: number[]) => new Uint8Array(Uint32Array.from(words).buffer);
const fsid = (n: number) => bytes(n, 7);

/** Handles as file systems make them of inode and generation: linux/exportfs.h, mm/shmem.c, fs/fuse/inode.c, fs/btrfs/export.c. */
const HANDLES: Record<string, (inode: number, generation: number) => NodeKey> = {
  ext4: (inode, generation) => nodeKey(fsid(1), { type: 1, bytes: bytes(inode, generation) }),
  xfs: (inode, generation) => nodeKey(fsid(2), { type: 0x81, bytes: bytes(inode, 0, generation) }),
  tmpfs: (inode, generation) => nodeKey(fsid(3), { type: 1, bytes: bytes(generation, inode, 0) }),
  fuse: (inode, generation) => nodeKey(fsid(4), { type: 0x81, bytes: bytes(0, inode, generation) }),
  btrfs: (inode, generation) => nodeKey(fsid(5), { type: 0x4d, bytes: bytes(inode, 0, 256, 0, generation) }),
};
const names = Object.keys(HANDLES);

test("a handle that is an inode number and a generation is read, and made of another one", () => {
  const { ext4, xfs, tmpfs, btrfs } = HANDLES;
  expect([ext4!(5, 9), xfs!(5, 9), tmpfs!(5, 9), btrfs!(5, 9)].map(inodeOf)).toEqual([5n, 5n, undefined, undefined]);
  expect(withInode(ext4!(5, 9), 6n, 10)).toBe(ext4!(6, 10));
  expect(withInode(xfs!(5, 9), 0x1_0000_0006n, 10)).toBe(nodeKey(fsid(2), { type: 0x81, bytes: bytes(6, 1, 10) }));
  expect([withInode(btrfs!(5, 9), 6n, 10), withInode(ext4!(5, 9), 6n, undefined)]).toEqual([undefined, undefined]);
});

test.each(names)("on %s each key is found by the other, of all that were added and not forgotten", (name) => {
  const device = names.indexOf(name);
  const step = fc.record({ add: fc.boolean(), inode: fc.integer({ min: 1, max: 3 }), generation: fc.nat(1) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 20 }), (steps) => {
      const keys = new InodeKeys();
      keys.add(kernelsKey(99, 1n), nodeKey(fsid(9), { type: 1, bytes: bytes(1, 1) })); // of another file system
      /** Of each inode number, the generation of the file that has it. */
      const model = new Map<number, number>();
      for (const { add, inode, generation } of steps) {
        const [kernels, owners] = [kernelsKey(device, BigInt(inode)), HANDLES[name]!(inode, generation)];
        if (add) {
          keys.add(kernels, owners);
          model.set(inode, generation);
        } else if (model.get(inode) === generation) {
          expect(keys.delete(owners)).toBe(kernels);
          model.delete(inode);
        } else keys.delete(owners); // of one that is no more
        for (const [inode, generation] of model) {
          const [kernels, owners] = [kernelsKey(device, BigInt(inode)), HANDLES[name]!(inode, generation)];
          expect(keys.ownersOf(kernels, generation)).toBe(owners);
        }
      }
    }),
  );
});

test("of another file that got the number, the key is not that of the one before", () => {
  const keys = new InodeKeys();
  const [before, now] = [HANDLES["ext4"]!(5, 9), HANDLES["ext4"]!(5, 10)];
  keys.add(kernelsKey(1, 5n), before);
  expect([keys.ownersOf(kernelsKey(1, 5n), 10), generationOf(now)]).toEqual([now, 10]);
});

test("of an unknown file system nothing is known", () => {
  const keys = new InodeKeys();
  expect([keys.ownersOf(kernelsKey(1, 5n), 9), keys.delete(HANDLES["ext4"]!(5, 9))]).toEqual([undefined, undefined]);
});
