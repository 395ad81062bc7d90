import {
  type AdminReply,
  AppError,
  type ApprovalDetail,
  type AskResult,
  type AuditRow,
  type ContextDetail,
  type ErrorKind,
  type HubRow,
  type SecretRow,
  type SeenRow,
  type Status,
  type TaskDetail,
  type UserDetail,
  type WorkspaceDetail,
} from '@agent-runtime/domain';
import type { PendingPairing } from '../client/pairing.ts';
import { DIGEST, statusFixture, userFixture } from './fake-data.fixture.ts';

/** What the fake house holds; tests change it as they go. */
export interface FakeHouse {
  status: Status;
  approvals: ApprovalDetail[];
  tasks: TaskDetail[];
  runs: Map<string, AskResult>;
  users: UserDetail[];
  contexts: ContextDetail[];
  unbound: SeenRow[];
  workspaces: WorkspaceDetail[];
  hubs: HubRow[];
  secrets: Map<string, SecretRow>;
  audit: AuditRow[];
  files: Map<string, string[]>;
  pairings: Map<string, PendingPairing>;
  verdict: AdminReply<'audit.verify'>;
}

/** An error as the server makes it. */
export function refusal(code: string, kind: ErrorKind, message: string): AppError {
  return new AppError({ code, kind, message });
}

/** An empty house, with what a test puts into it. */
export function fakeHouse(given: Partial<FakeHouse> = {}): FakeHouse {
  return {
    status: statusFixture(),
    approvals: [],
    tasks: [],
    runs: new Map(),
    users: [userFixture()],
    contexts: [],
    unbound: [],
    workspaces: [],
    hubs: [],
    secrets: new Map(),
    audit: [],
    files: new Map(),
    pairings: new Map(),
    verdict: {
      ok: true,
      count: 412,
      head: `412:${DIGEST}`,
      problems: [],
      signatures: { good: 3, unchecked: 0 },
    },
    ...given,
  };
}

/** @throws AppError pair.code.missing */
export function pairingOf(house: FakeHouse, code: string): PendingPairing {
  const row = house.pairings.get(code);
  if (row === undefined)
    throw refusal('pair.code.missing', 'missing', 'There is no such code, or it was used already.');
  return row;
}
