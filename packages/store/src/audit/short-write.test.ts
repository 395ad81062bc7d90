import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { makeAuditKey, openCheckpointFile } from './index.ts';

const folder = mkdtempSync(join(tmpdir(), 'short-'));
const isMounted = ((): boolean => {
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=256k', 'tmpfs', folder], { stdio: 'pipe' });
    return true;
  } catch {
    return false;
  }
})();

describe.skipIf(!isMounted)(
  `a disk that takes half a line${isMounted ? '' : ' (skipped: mounting a tmpfs needs root)'}`,
  { timeout: 60_000 },
  () => {
    afterAll(() => {
      if (isMounted) execFileSync('umount', ['-l', folder]);
      rmSync(folder, { recursive: true, force: true });
    });

    test('a head of which half was written is no signed head, and what was said to be signed is there', () => {
      const path = join(folder, 'audit', 'checkpoints.jsonl');
      const ballast = join(folder, 'ballast');
      const { key } = makeAuditKey(new Uint8Array(32).fill(9));
      const file = openCheckpointFile(path);
      const signed: number[] = [];
      const sign = (seq: number): void => {
        file.append(key.sign({ seq, hash: `sha256:${'0'.repeat(64)}`, at: seq }));
        signed.push(seq);
      };
      sign(1);
      // Every page but the one that the file has is taken; the line that crosses its end is cut there.
      expect(() => writeFileSync(ballast, Buffer.alloc(1 << 20))).toThrow('ENOSPC');
      let seq = 2;
      const untilRefused = (): void => {
        for (; seq < 200; seq += 1) sign(seq);
      };
      expect(untilRefused).toThrow('half a line');
      expect(file.read().checkpoints.map((head) => head.seq)).toEqual(signed);
      rmSync(ballast);
      sign(seq);
      expect(file.read()).toMatchObject({ isDamaged: false });
      expect(file.read().checkpoints.map((head) => head.seq)).toEqual(signed);
    });
  },
);
