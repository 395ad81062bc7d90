import { seededRandom } from '@agent-runtime/testkit';

export const PEOPLE = ['mia', 'olga', 'boss', 'sam'] as const;
/** `mia` is a member, `olga` an operator, `boss` an admin; nobody knows `sam`. */
export type Name = (typeof PEOPLE)[number];

/** How the world treats what is sent to it, until the next change. */
export type Mood = 'fine' | 'down' | 'busy' | 'refuses' | 'breaks before' | 'breaks after' | 'slow' | 'hangs';
/** How the disk answers: `unsigned` writes, but cannot sign the head of the log. */
export type Disk = 'fine' | 'full' | 'unsigned';

/** One thing that somebody does, or that befalls the appliance. `nth` counts back from the newest. */
export type Move =
  | { readonly do: 'say'; readonly by: Name; readonly place: Place; readonly isRelayed: boolean }
  | { readonly do: 'post'; readonly door: 'http' | 'cli'; readonly by: Name }
  | { readonly do: 'command'; readonly by: Name; readonly text: string; readonly nth: number }
  | { readonly do: 'repeat' | 'forge' | 'edit event'; readonly nth: number }
  | { readonly do: 'abort' | 'retry' | 'steer'; readonly by: Name; readonly nth: number }
  | {
      readonly do: 'approve' | 'deny' | 'withdraw' | 'edit';
      readonly by: Name;
      readonly nth: number;
      readonly isSigned: boolean;
    }
  | { readonly do: 'resolve'; readonly nth: number; readonly isSent: boolean }
  | { readonly do: 'panic on' | 'panic off'; readonly by: Name }
  | { readonly do: 'revoke' | 'lapse' | 'grant'; readonly who: 'mia' | 'olga' }
  | { readonly do: 'outside'; readonly mood: Mood }
  | { readonly do: 'disk'; readonly disk: Disk }
  | { readonly do: 'wait' | 'jump'; readonly ms: number }
  | { readonly do: 'die'; readonly atNth: number }
  | { readonly do: 'kill' | 'restart' };
export type Place = 'ops' | 'news' | 'plaza';

/** A move, and how many turns of the event loop pass before the next one; undefined: until nothing moves any more. */
export interface TimedMove {
  readonly move: Move;
  readonly turns: number | undefined;
}

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

const COMMANDS = [
  '/status',
  '/new',
  '/help',
  '/abort',
  '/steer and more',
  '/panic on',
  '/search hours',
  '/task research it',
  '/approve ID',
  '/approve ID',
  '/approve ID',
  '/deny ID no',
  '/withdraw ID',
  '/abort RUN',
] as const;

/** Numbers of one seed, drawn in order. */
export class Dice {
  readonly next: () => number;
  constructor(seed: number) {
    this.next = seededRandom(seed);
  }

  below(count: number): number {
    return Math.floor(this.next() * count);
  }

  chance(share: number): boolean {
    return this.next() < share;
  }

  of<T>(list: readonly [T, ...T[]] | readonly T[]): T {
    return list[this.below(list.length)] as T; // safe: lists here are never empty
  }
}

type Draw = (dice: Dice) => Move;

const say: Draw = (dice) => ({
  do: 'say',
  by: dice.of(['mia', 'mia', 'mia', 'olga', 'boss', 'sam']),
  place: dice.of(['ops', 'ops', 'ops', 'plaza']),
  isRelayed: dice.chance(0.1),
});
const answer: Draw = (dice) => ({
  do: dice.of(['approve', 'approve', 'approve', 'approve', 'deny', 'withdraw', 'edit']),
  by: dice.of(['olga', 'olga', 'boss', 'boss', 'mia']),
  nth: dice.below(3),
  isSigned: dice.chance(0.7),
});

/** How often each kind of move comes, and what it draws. */
const DRAWS: readonly (readonly [number, Draw])[] = [
  [22, say],
  [5, (dice) => ({ do: 'post', door: dice.of(['http', 'cli']), by: dice.of(['mia', 'olga', 'boss']) })],
  [
    6,
    (dice) => ({
      do: 'command',
      by: dice.of(['mia', 'mia', 'olga', 'olga', 'boss', 'sam']),
      text: dice.of(COMMANDS),
      nth: dice.below(2),
    }),
  ],
  [6, (dice) => ({ do: dice.of(['repeat', 'repeat', 'forge', 'edit event']), nth: dice.below(4) })],
  [
    5,
    (dice) => ({
      do: dice.of(['abort', 'retry', 'steer']),
      by: dice.of(['mia', 'mia', 'olga', 'boss', 'sam']),
      nth: dice.below(3),
    }),
  ],
  [14, answer],
  [1, (dice) => ({ do: 'resolve', nth: dice.below(2), isSent: dice.chance(0.5) })],
  [2, (dice) => ({ do: 'panic on', by: dice.of(['boss', 'boss', 'olga', 'mia']) })],
  [3, (dice) => ({ do: 'panic off', by: dice.of(['boss', 'boss', 'boss', 'olga']) })],
  [2, (dice) => ({ do: dice.of(['revoke', 'revoke', 'lapse']), who: dice.of(['mia', 'mia', 'olga']) })],
  [2, (dice) => ({ do: 'grant', who: dice.of(['mia', 'olga']) })],
  [
    6,
    (dice) => ({
      do: 'outside',
      mood: dice.of([
        'fine',
        'fine',
        'down',
        'busy',
        'refuses',
        'breaks before',
        'breaks after',
        'slow',
        'hangs',
      ]),
    }),
  ],
  [3, (dice) => ({ do: 'disk', disk: dice.of(['fine', 'fine', 'full', 'unsigned']) })],
  [
    9,
    (dice) => ({
      do: 'wait',
      ms: dice.of([1_000, 3_000, 9_000, 31_000, 2 * MINUTE_MS, 11 * MINUTE_MS, 5 * HOUR_MS, 25 * HOUR_MS]),
    }),
  ],
  [1, (dice) => ({ do: 'jump', ms: dice.of([-HOUR_MS, HOUR_MS, -MINUTE_MS, 9 * HOUR_MS]) })],
  [7, (dice) => ({ do: 'die', atNth: 1 + dice.below(14) })],
  [2, () => ({ do: 'kill' })],
  [1, () => ({ do: 'restart' })],
];
const TOTAL = DRAWS.reduce((sum, [weight]) => sum + weight, 0);

function draw(dice: Dice): Move {
  let left = dice.next() * TOTAL;
  for (const [weight, make] of DRAWS) {
    left -= weight;
    if (left < 0) return make(dice);
  }
  return say(dice);
}

const mia: Draw = () => ({ do: 'say', by: 'mia', place: 'ops', isRelayed: false });
const fixed =
  (move: Move): Draw =>
  () =>
    move;
const wait = fixed({ do: 'wait', ms: 9_000 });
const later: Draw = (dice) => dice.of<Move>([{ do: 'wait', ms: 1_000 }, { do: 'kill' }, { do: 'restart' }]);

/** Moves that mean something only one after the other, and would seldom be drawn so. */
const SCENES: readonly (readonly Draw[])[] = [
  // Who granted it loses the role while it waits for the outside.
  [
    mia,
    (dice) => ({ do: 'outside', mood: dice.of(['down', 'busy']) }),
    fixed({ do: 'approve', by: 'olga', nth: 0, isSigned: true }),
    fixed({ do: 'revoke', who: 'olga' }),
    fixed({ do: 'outside', mood: 'fine' }),
    wait,
  ],
  // Words wait behind others of a person who loses the role.
  [mia, mia, (dice) => ({ do: dice.of(['revoke', 'lapse', 'lapse']), who: 'mia' }), wait],
  // Words wait behind others when panic comes, and the process may not live to see its end.
  [mia, mia, fixed({ do: 'panic on', by: 'boss' }), later, fixed({ do: 'panic off', by: 'boss' }), wait],
  // What panic ended could not be written.
  [
    mia,
    fixed({ do: 'disk', disk: 'full' }),
    fixed({ do: 'panic on', by: 'boss' }),
    fixed({ do: 'disk', disk: 'fine' }),
    fixed({ do: 'panic off', by: 'boss' }),
    wait,
  ],
];

/** The history of a seed: about 5 to 14 moves, the first of them somebody's words, half of the histories with a scene. */
export function movesOf(seed: number): readonly TimedMove[] {
  const dice = new Dice(seed);
  const count = 5 + dice.below(10);
  const draws: Draw[] = [say];
  while (draws.length < count) draws.push(...(dice.chance(0.08) ? dice.of(SCENES) : [draw]));
  return draws.map((make) => ({
    move: make(dice),
    turns: dice.chance(0.5) ? undefined : dice.below(12),
  }));
}
