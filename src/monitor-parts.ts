import type { Redaction } from "./consumers/redaction.ts";
import type { HeldChanges } from "./labels/held.ts";
import type { Labeller } from "./labels/labels.ts";
import type { Source } from "./source/source.ts";
import type { StateStore } from "./state/store.ts";
import type { Selection } from "./watch/selection.ts";

/** What a monitor works with. */
export interface MonitorParts {
  readonly store: StateStore;
  readonly source: Source;
  readonly selection: Selection;
  readonly root: string;
  /** Called when there is a new line in the store. */
  readonly onLine: () => void;
  /** Called before each look. */
  readonly onLook?: () => void;
  /** Has the monitor take what changes of the mount table there are: what a mount changed is not to be taken for something else. */
  readonly checkMounts?: () => void;
  /** Further keys of a line. */
  readonly labels?: Labeller;
  /** Where changes wait for these; shared by those that follow one another. */
  readonly held?: HeldChanges;
  /** A long file is read between events, and its line comes later; else at once. */
  readonly inTurns?: boolean;
  /** What is taken for a secret in texts, if not what is built in. */
  readonly redaction?: Redaction;
}
