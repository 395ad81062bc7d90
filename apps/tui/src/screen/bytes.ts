import { type EffectBytesWire, showHidden } from '@agent-runtime/domain';

/** What would leave, for an approver: where, to whom, each payload whole, hidden characters spelt out. */
export function bytesText(bytes: EffectBytesWire): string {
  const { sink, recipients, payloads } = bytes;
  const lines = [
    `Where       ${showHidden(`${sink.connector}:${sink.account} -> ${sink.address}`)}`,
    `Recipients  ${recipients.length === 0 ? '(none named)' : showHidden(recipients.join(', '))}`,
  ];
  if (bytes.has_hidden)
    lines.push('Attention   it holds characters that a reader does not see; they are written as ⟨U+XXXX⟩');
  payloads.forEach((payload, index) => {
    lines.push('', `Payload ${index + 1} of ${payloads.length}`);
    for (const [name, value] of Object.entries(payload)) lines.push(memberText(name, value));
  });
  return lines.join('\n');
}

function memberText(name: string, value: unknown): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value, null, 2);
  const shown = showHidden(text);
  return shown.includes('\n') ? `  ${name}:\n${shown.replace(/^/gm, '    | ')}` : `  ${name}: ${shown}`;
}
