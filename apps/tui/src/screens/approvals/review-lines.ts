import type { ApprovalDetail, EffectBytesWire } from '@agent-runtime/domain';
import { visible } from '../../app/draft-lines.ts';
import { factLines, headingLines, textLines } from '../../app/facts.ts';
import { type Line, line, span } from '../../app/line.tsx';
import type { Tone } from '../../app/theme.ts';
import { ageText } from '../../app/time.ts';
import { chop } from '../../app/width.ts';

const TIER_TONE = { low: undefined, medium: 'warn', high: 'bad' } as const;

/** All that a person needs to decide: what, to whom, why they are asked, what it changes, and every byte of it. */
export function reviewLines(detail: ApprovalDetail, width: number, nowMs: number): readonly Line[] {
  return [
    ...factLines(
      [
        ['What', detail.summary, 'strong'],
        [
          'Tier',
          `${detail.tier} (${detail.needed} of role ${detail.approver_role} or above)`,
          TIER_TONE[detail.tier],
        ],
        ['State', detail.state, detail.state === 'pending' ? undefined : 'warn'],
        ['To', recipientsText(detail.bytes), 'strong'],
        ['Label', detail.label],
        ['Why asked', detail.reasons.length === 0 ? undefined : detail.reasons.join('\n')],
        ['Asked by', `${detail.requester} in ${detail.workspace} / ${detail.context}`],
        ['Ends in', ageText(detail.expiry - nowMs)],
        ['Intact', detail.is_intact ? undefined : 'NO: the stored bytes were changed; do not approve', 'bad'],
        [
          'Releases',
          detail.missing_releases.length === 0
            ? undefined
            : `missing from ${detail.missing_releases.join(', ')}`,
          'warn',
        ],
        ['Answers', votesText(detail)],
        ['Approval', detail.id, 'dim'],
        ['Digest', detail.digest, 'dim'],
      ],
      width,
    ),
    ...diffLines(detail, width),
    ...(detail.bytes === undefined
      ? [...headingLines('Bytes'), ...textLines(detail.withheld ?? 'They are not for you.', width)]
      : bytesLines(detail.bytes, width)),
  ];
}

function recipientsText(bytes: EffectBytesWire | undefined): string | undefined {
  if (bytes === undefined) return undefined;
  const { connector, account, address } = bytes.sink;
  const place = `${connector}:${account} -> ${address}`;
  return bytes.recipients.length === 0 ? place : `${bytes.recipients.join('\n')}\nby ${place}`;
}

function votesText({ votes }: ApprovalDetail): string | undefined {
  if (votes.length === 0) return undefined;
  return votes.map((vote) => `${vote.decision} by ${vote.person} (${vote.via})`).join('\n');
}

/** What a write changes. The whole new text stands below it. */
function diffLines({ diff, diff_note: note }: ApprovalDetail, width: number): readonly Line[] {
  if (diff === undefined)
    return note === undefined ? [] : [...headingLines('Changes'), ...textLines(note, width)];
  return [
    ...headingLines(`Changes: +${diff.added} -${diff.removed} lines`),
    ...diff.text.split('\n').flatMap((text) => exactLines(text, width, diffTone(text))),
    ...(diff.is_cut
      ? textLines('More changes follow; the whole new text stands below.', width, { tone: 'warn' })
      : []),
  ];
}

function diffTone(text: string): Tone | undefined {
  if (text.startsWith('+')) return 'good';
  return text.startsWith('-') ? 'bad' : undefined;
}

/** What would leave, whole. A line that begins with ┊ goes on where the one above was full; all other line ends are real. */
export function bytesLines(bytes: EffectBytesWire, width: number): readonly Line[] {
  const warning = bytes.has_hidden
    ? textLines('It holds characters that a reader does not see; they are written as ⟨U+XXXX⟩.', width, {
        tone: 'bad',
      })
    : [];
  return [
    ...bytes.payloads.flatMap((payload, index) => [
      ...headingLines(`Exact bytes, payload ${index + 1} of ${bytes.payloads.length}`),
      ...(index === 0 ? warning : []),
      ...Object.entries(payload).flatMap(([name, value]) => [
        line(` ${visible(name)}`, 'dim'),
        ...valueText(value)
          .split('\n')
          .flatMap((text) => exactLines(text, width)),
      ]),
    ]),
  ];
}

function valueText(value: unknown): string {
  return typeof value === 'string' ? value : (JSON.stringify(value, null, 2) ?? '');
}

function exactLines(text: string, width: number, tone?: Tone): readonly Line[] {
  return chop(visible(text), width - 5).map((part, index) => [
    span(index === 0 ? '  │ ' : '  ┊ ', 'dim'),
    span(part, tone),
  ]);
}
