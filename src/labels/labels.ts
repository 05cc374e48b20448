import type { Expectations } from "../state/expectations.ts";
import type { Sighting } from "../watch/attribution.ts";
import { expectedLabel } from "./expected.ts";
import { Packages } from "./packages.ts";

/** A change about to become a line. */
export interface Labelled {
  readonly path: string;
  /** What was read; free of symbolic links. undefined when nothing is there. */
  readonly file: string | undefined;
  /** Of a file's content, SHA-256; undefined for all else. */
  readonly digest: string | undefined;
  readonly sightings: readonly Sighting[];
}

/** The keys of a line that tell of nothing but what a change belongs to. */
export interface Label {
  readonly keys: Record<string, unknown>;
  /** There may be more to tell in a moment. */
  readonly isOpen: boolean;
}

/** @param waited as Packages has it */
export type Labeller = (change: Labelled, waited: boolean) => Label;

/** Keys of a line that say what a change belongs to. They never hide it. */
export class Labels {
  readonly #expectations: Pick<Expectations, "at">;
  readonly #packages: Packages;

  constructor(expectations: Pick<Expectations, "at">, root: string) {
    this.#expectations = expectations;
    this.#packages = new Packages(root);
  }

  /** @param waited as Packages has it */
  of({ path, file, digest, sightings }: Labelled, waited: boolean): Label {
    const last = sightings.at(-1)?.last;
    const time = last === undefined ? Date.now() : Number(last / 1_000_000n);
    const expected = expectedLabel(path, this.#expectations.at(time));
    const actors = sightings.map(({ actor }) => actor);
    const { label, isOpen } =
      digest !== undefined && file !== undefined
        ? this.#packages.provenance({ path, file, digest, actors, waited })
        : { label: undefined, isOpen: false };
    const keys = { ...(expected && { expected }), ...(label && { package: label }) };
    return { keys, isOpen };
  }
}
