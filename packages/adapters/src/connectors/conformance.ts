import {
  AppError,
  type Connector,
  canonicalJson,
  type Draft,
  type InboundEvent,
  type JsonObject,
  type RenderContext,
} from '@agent-runtime/domain';
import { afterEach, describe, expect, test } from 'vitest';

export type ConnectorTrouble = 'unavailable' | 'exhausted' | 'rejected' | 'uncertain';

/** What the test can do with the far side. Each `false` leaves out the tests that need it. */
export interface ConnectorAbilities {
  /** See what arrived; false for doors that are asked. */
  readonly arrives: boolean;
  /** Make trouble. */
  readonly breaks: boolean;
  /** Speak as a person. */
  readonly speaks: boolean;
}

/** A connector with the far side in the hands of the test. */
export interface ConnectorHarness {
  readonly connector: Connector;
  readonly address: string;
  /** Most characters of one part; absent when there is no limit. */
  readonly limitChars?: number | undefined;
  /** The words of a payload as people see them; its `text` when absent. */
  readonly textOf?: ((payload: JsonObject) => string) | undefined;
  /** Payloads that the far side has, oldest first. */
  readonly arrived?: (() => readonly JsonObject[]) | undefined;
  /** The next delivery meets this trouble; `uncertain` may have arrived. */
  readonly breakNext?: ((trouble: ConnectorTrouble, doesArrive: boolean) => void) | undefined;
  /** A person speaks outside; not to wait until it is accepted. */
  readonly speak?: ((text: string, externalId: string) => void) | undefined;
  /** Lets the connector look outside again. */
  readonly pass: () => Promise<void>;
  readonly close?: (() => Promise<void>) | undefined;
}

const CONTEXT: Omit<RenderContext, 'address'> = { effectId: 'efct_00000001', nowMs: 1_000_000 };

/** What every connector must hold. */
export function connectorConformance(
  name: string,
  can: ConnectorAbilities,
  make: () => Promise<ConnectorHarness>,
): void {
  const open: ConnectorHarness[] = [];
  const harnessed = async (): Promise<ConnectorHarness> => {
    const harness = await make();
    open.push(harness);
    return harness;
  };
  const deliver = (
    harness: ConnectorHarness,
    payload: JsonObject,
    part = 0,
    effectId = 'efct_00000001',
    signal = never(),
  ) => harness.connector.deliver(payload, targetOf(harness, effectId, part), signal);
  const payloads = (harness: ConnectorHarness, draft: Draft): readonly JsonObject[] =>
    harness.connector.render(draft, { ...CONTEXT, address: harness.address });

  describe(`connector ${name}`, () => {
    afterEach(async () => {
      for (const harness of open.splice(0)) {
        await harness.connector.stop();
        await harness.close?.();
      }
    });

    test('render is pure: same draft, same bytes, and the draft stays as it was', async () => {
      const harness = await harnessed();
      for (const draft of DRAFTS) {
        const frozen = structuredClone(draft);
        Object.freeze(frozen);
        const once = payloads(harness, frozen).map((one) => canonicalJson(one));
        expect(payloads(harness, frozen).map((one) => canonicalJson(one))).toEqual(once);
        expect(frozen).toEqual(draft);
        expect(once.length).toBeGreaterThan(0);
      }
    });

    test('render loses no word and keeps their order, within the limit', async () => {
      const harness = await harnessed();
      const words = Array.from({ length: 3_000 }, (_, index) => `word${index}`);
      const parts = payloads(harness, { text: words.join(' ') });
      const texts = parts.map(harness.textOf ?? ((part) => String(part.text)));
      expect(texts.join(' ').split(/\s+/)).toEqual(words);
      for (const text of texts)
        expect(text.length).toBeLessThanOrEqual(harness.limitChars ?? Number.MAX_SAFE_INTEGER);
    });

    test('render does not look at the clock or at who is asked', async () => {
      const harness = await harnessed();
      const at = (nowMs: number): readonly JsonObject[] =>
        harness.connector.render({ text: 'Hello' }, { ...CONTEXT, nowMs, address: harness.address });
      expect(at(1)).toEqual(at(1));
    });

    if (can.arrives) {
      test('an aborted delivery sends nothing and says so', async () => {
        const harness = await harnessed();
        const [payload = {}] = payloads(harness, { text: 'late' });
        const thrown = await deliver(harness, payload, 0, 'efct_00000001', AbortSignal.abort()).catch(
          (error: unknown) => error,
        );
        expect(thrown).toMatchObject({ kind: 'unavailable' });
        expect(arrivedAt(harness)).toEqual([]);
      });
      test('what arrives is byte for byte what was delivered, part by part', async () => {
        const harness = await harnessed();
        const parts = payloads(harness, {
          text: `${'A long line of words. '.repeat(400)}\n\nEnd & <b>"\u00e9\u{1f331}`,
        });
        for (const [part, payload] of parts.entries()) {
          const receipt = await deliver(harness, payload, part);
          expect(receipt.externalId).not.toBe('');
        }
        expect(arrivedAt(harness).map((one) => canonicalJson(one))).toEqual(
          parts.map((one) => canonicalJson(one)),
        );
      });

      test('its word about repeats is true', async () => {
        const harness = await harnessed();
        const [payload = {}] = payloads(harness, { text: 'once' });
        const first = await deliver(harness, payload);
        const second = await deliver(harness, payload);
        if (harness.connector.dropsRepeats) expect(second.externalId).toBe(first.externalId);
        expect(arrivedAt(harness)).toHaveLength(harness.connector.dropsRepeats ? 1 : 2);
        await deliver(harness, payload, 0, 'efct_00000002');
        expect(arrivedAt(harness)).toHaveLength(harness.connector.dropsRepeats ? 2 : 3);
      });
    } else {
      test('nothing can be sent to a door that is asked, and it does not pretend', async () => {
        const harness = await harnessed();
        const [payload = {}] = payloads(harness, { text: 'Hello' });
        expect(harness.connector.delivery).toBe('pull');
        await expect(deliver(harness, payload)).rejects.toMatchObject({ kind: 'rejected' });
        expect((await reconcile(harness, payload)).kind).not.toBe('sent');
      });
    }

    if (can.breaks) {
      test.each(['unavailable', 'exhausted', 'rejected', 'uncertain'] as const)(
        'trouble of kind %s',
        async (kind) => {
          const harness = await harnessed();
          const [payload = {}] = payloads(harness, { text: 'trouble' });
          harness.breakNext?.(kind, false);
          const thrown = await deliver(harness, payload).catch((error: unknown) => error);
          expect(thrown).toBeInstanceOf(AppError);
          expect(thrown).toMatchObject({ kind, code: expect.stringMatching(new RegExp(`\\.${kind}$`)) });
          expect(arrivedAt(harness)).toEqual([]);
          expect(await reconcile(harness, payload)).not.toMatchObject({ kind: 'sent' });
          await deliver(harness, payload);
          expect(arrivedAt(harness)).toHaveLength(1);
        },
      );

      test('an outcome that was lost is found again, and only that one', async () => {
        const harness = await harnessed();
        const [payload = {}] = payloads(harness, { text: 'lost' });
        harness.breakNext?.('uncertain', true);
        await expect(deliver(harness, payload)).rejects.toMatchObject({ kind: 'uncertain' });
        expect(arrivedAt(harness)).toHaveLength(1);
        expect((await reconcile(harness, payload)).kind).not.toBe('not-sent');
        expect((await reconcile(harness, payload, 'efct_00000009')).kind).not.toBe('sent');
      });
    }

    if (can.speaks) {
      test('what is said comes in whole and in order, and a repeat keeps its id', async () => {
        const harness = await harnessed();
        const heard: InboundEvent[] = [];
        await harness.connector.start(async (event) => void heard.push(event));
        harness.speak?.('first', '1');
        harness.speak?.('second \u{1f331}\nline', '2');
        await waitFor(harness, () => heard.length >= 2);
        expect(heard.map(({ text, externalId }) => [externalId, text])).toEqual([
          ['1', 'first'],
          ['2', 'second \u{1f331}\nline'],
        ]);
        for (const event of heard) {
          expect(event.source).toBe(`${harness.connector.name}:${harness.connector.account}`);
          expect(event.sender.id).not.toBe('');
        }
      });

      test('an event is acknowledged only after it was accepted: a refusal that passes brings it again', async () => {
        const harness = await harnessed();
        const offered: string[] = [];
        let isDown = true;
        await harness.connector.start(async (event) => {
          offered.push(event.externalId);
          if (isDown)
            throw new AppError({
              code: 'connectors.accept.unavailable',
              kind: 'unavailable',
              message: 'Try again later.',
            });
        });
        harness.speak?.('first', '1');
        await waitFor(harness, () => offered.length >= 1);
        await harness.connector.stop();
        isDown = false;
        await harness.connector.start(async (event) => void offered.push(event.externalId));
        await waitFor(harness, () => offered.length >= 2);
        expect(new Set(offered)).toEqual(new Set(['1']));
      });

      test('nothing comes in after stop, and start brings what was said meanwhile', async () => {
        const harness = await harnessed();
        const heard: string[] = [];
        const listen = async (event: InboundEvent): Promise<undefined> => void heard.push(event.text);
        await harness.connector.start(listen);
        await harness.connector.stop();
        harness.speak?.('meanwhile', '7');
        for (let round = 0; round < 5; round += 1) await harness.pass();
        expect(heard).toEqual([]);
        await harness.connector.start(listen);
        await waitFor(harness, () => heard.length >= 1);
        expect(heard).toEqual(['meanwhile']);
      });
    }
  });
}

const DRAFTS: readonly Draft[] = [
  { text: 'Hello' },
  { text: '' },
  { text: 'Answer', replyTo: 'm7', buttons: [{ id: 'b1', label: 'Yes' }] },
  { text: `# T\n\n\`\`\`ts\n${'const a = 1;\n'.repeat(900)}\`\`\`\n\nEnd.` },
];

function arrivedAt(harness: ConnectorHarness): readonly JsonObject[] {
  if (harness.arrived === undefined) throw new Error('the harness cannot see what arrived');
  return harness.arrived();
}

function targetOf(harness: ConnectorHarness, effectId: string, part: number) {
  const { name: connector, account } = harness.connector;
  return { sink: { connector, account, address: harness.address }, effectId, part };
}

function reconcile(harness: ConnectorHarness, payload: JsonObject, effectId = 'efct_00000001') {
  return harness.connector.reconcile(payload, targetOf(harness, effectId, 0), never());
}

function never(): AbortSignal {
  return new AbortController().signal;
}

async function waitFor(harness: ConnectorHarness, isDone: () => boolean): Promise<void> {
  for (let round = 0; round < 2_000 && !isDone(); round += 1) await harness.pass();
  expect(isDone(), 'it never came').toBe(true);
}
