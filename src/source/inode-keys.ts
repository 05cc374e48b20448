import type { NodeKey } from "../event.ts";
import { nodeKey, parseNodeKey } from "./decode.ts";
import { generationOf, inodeOf, withInode } from "./fanotify-decode.ts";

/**
 * Beside fanotify an inode has two keys: the kernel's, which BPF programs tell of, and the owner's, which is
 * fanotify's. On most file systems each can be made from the other, so nothing is kept of 100,000 inodes but
 * one of their keys.
 */
export class InodeKeys {
  /** Of each device, an owner's key that others can be made after. */
  readonly #samples = new Map<number, NodeKey>();
  /** Pairs that cannot be made: the owner's by the kernel's, and the other way round. */
  readonly #owners = new Map<NodeKey, NodeKey>();
  readonly #kernels = new Map<NodeKey, NodeKey>();

  add(kernels: NodeKey, owners: NodeKey): void {
    const before = this.#owners.get(kernels);
    if (before !== undefined) this.#forget(kernels, before); // that inode is no more, another got its number
    const { device, inode } = parseNodeKey(kernels);
    const sample = this.#samples.get(device) ?? owners;
    const isLikeIt = inodeOf(owners) === inode && withInode(sample, inode, generationOf(owners)) === owners;
    if (isLikeIt) return void this.#samples.set(device, sample);
    this.#owners.set(kernels, owners);
    this.#kernels.set(owners, kernels);
  }

  /** The owner's key, also of an inode that was never added. @param generation as the kernel tells it */
  ownersOf(kernels: NodeKey, generation: number | undefined): NodeKey | undefined {
    const known = this.#owners.get(kernels);
    if (known !== undefined) return known;
    const { device, inode } = parseNodeKey(kernels);
    const sample = this.#samples.get(device);
    return sample && withInode(sample, inode, generation);
  }

  /** Forgets an inode. Returns the kernel's key of it, which may be another's by now. */
  delete(owners: NodeKey): NodeKey | undefined {
    const kernels = this.#kernels.get(owners);
    if (kernels !== undefined) this.#forget(kernels, owners);
    return kernels ?? this.#kernelsOf(owners);
  }

  #kernelsOf(owners: NodeKey): NodeKey | undefined {
    const inode = inodeOf(owners);
    if (inode === undefined) return undefined;
    for (const [device, sample] of this.#samples)
      if (withInode(sample, inode, generationOf(owners)) === owners) return nodeKey(device, inode);
    return undefined;
  }

  #forget(kernels: NodeKey, owners: NodeKey): void {
    this.#owners.delete(kernels);
    this.#kernels.delete(owners);
  }
}
