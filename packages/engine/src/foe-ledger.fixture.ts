import {
  type Clearance,
  canFlow,
  INTEGRITY,
  isNotAbove,
  type Label,
  workspacesOf,
} from '@agent-runtime/domain';

/** Marks stand in texts; wherever one turns up, it tells where the text is from. */
const MARK = /mk[0-9a-z]{6}q/g;

interface Origin {
  /** What the mark's own text may be labelled as: its first label, and those that people raised it to. */
  readonly labels: Label[];
  /** Of a mark that a model wrote: those of everything that it had been shown; none when that was nobody's. */
  readonly from?: ReadonlySet<string>;
}

/**
 * The witness's own book of provenance: it knows of each mark where it came from, follows what each run was shown, and shares nothing
 * with the labels that the product computes.
 */
export class Ledger {
  private readonly origins = new Map<string, Origin>();
  private readonly shown = new Map<string, Set<string>>();

  /** A fresh mark for a text of known origin. */
  mark(label: Label): string {
    return this.enter({ labels: [label] });
  }

  /** A fresh mark for what the model of this run writes now. */
  markOf(run: string): string {
    return this.enter({ labels: [], from: this.basis(this.shown.get(run) ?? new Set()) });
  }

  private enter(origin: Origin): string {
    const mark = `mk${(this.origins.size + 0x1000).toString(36).padStart(6, '0')}q`;
    this.origins.set(mark, origin);
    return mark;
  }

  private basis(marks: ReadonlySet<string>): ReadonlySet<string> {
    const found = new Set<string>();
    for (const mark of marks) {
      const origin = this.origins.get(mark);
      if (origin === undefined) continue;
      if (origin.labels.length > 0) found.add(mark);
      else for (const base of origin.from ?? []) found.add(base);
    }
    return found;
  }

  /**
   * The model of this run is shown a whole prompt, and knows nothing but what stands in it: a call whose process died before it was
   * recorded is made again, and what only that one had read is in nobody's mind any more.
   */
  show(run: string, prompt: string): void {
    this.shown.set(run, new Set(marksIn(prompt).filter((mark) => this.origins.has(mark))));
  }

  /** People approved exactly this text under this label. */
  raise(text: string, label: Label): void {
    for (const mark of marksIn(text)) this.origins.get(mark)?.labels.push(label);
  }

  /** The first mark in the text of which this label claims more trust or drops an owner. */
  launderedIn(text: string, label: Label): string | undefined {
    return marksIn(text).find(
      (mark) =>
        (this.isModels(mark) && label.integrity > INTEGRITY.member) ||
        !this.holds(mark, (bound) => isNotAbove(label, bound)),
    );
  }

  /** Written by a model, and raised by nobody. */
  private isModels(mark: string): boolean {
    return this.origins.get(mark)?.labels.length === 0;
  }

  /** The first mark in the text that these readers may not see. */
  leakedIn(text: string, clearance: Clearance): string | undefined {
    return marksIn(text).find((mark) => !this.holds(mark, (bound) => canFlow(bound, clearance)));
  }

  /** The first mark of another workspace. */
  foreignIn(text: string, workspace: string): string | undefined {
    const isOwn = (bound: Label): boolean => workspacesOf(bound).every((name) => name === workspace);
    return marksIn(text).find((mark) => !this.holds(mark, isOwn));
  }

  private holds(mark: string, fits: (bound: Label) => boolean): boolean {
    const origin = this.origins.get(mark);
    // A mark that nobody made is a word like any other.
    if (origin === undefined || origin.labels.some(fits)) return true;
    return origin.from !== undefined && [...origin.from].every((base) => this.holds(base, fits));
  }
}

export function marksIn(text: string): readonly string[] {
  return [...new Set(text.match(MARK) ?? [])];
}
