import type { Look } from "../consumers/consumer.ts";
import type { Expectations } from "../state/expectations.ts";
import type { Sighting } from "../watch/attribution.ts";
import { expectedLabel } from "./expected.ts";
import { Packages } from "./packages.ts";

/** A change about to become a line. */
export interface Labelled {
  readonly path: string;
  /** What was read; free of symbolic links. undefined when nothing is there. */
  readonly file: string | undefined;
  readonly look: Look;
  readonly sightings: readonly Sighting[];
}

/** Gives the keys of a line that tell of nothing but what a change belongs to. */
export type Labeller = (change: Labelled) => Record<string, unknown>;

/** Keys of a line that say what a change belongs to. They never hide it. */
export class Labels {
  readonly #expectations: Pick<Expectations, "at">;
  readonly #packages: Packages;

  constructor(expectations: Pick<Expectations, "at">, root: string) {
    this.#expectations = expectations;
    this.#packages = new Packages(root);
  }

  of({ path, file, look, sightings }: Labelled): Record<string, unknown> {
    const last = sightings.at(-1)?.last;
    const time = last === undefined ? Date.now() : Number(last / 1_000_000n);
    const expected = expectedLabel(path, this.#expectations.at(time));
    const actors = sightings.map(({ actor }) => actor);
    const origin =
      look.type === "file" && file !== undefined ? this.#packages.label(path, file, look.digest, actors) : undefined;
    return {
      ...(expected === undefined ? {} : { expected }),
      ...(origin === undefined ? {} : { package: origin }),
    };
  }
}
