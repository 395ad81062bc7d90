import {
  AppError,
  type Context,
  canFlow,
  clearanceOf,
  INTEGRITY,
  join,
  type Label,
  publicLabel,
} from '@agent-runtime/domain';
import type { EngineDeps } from '../api.ts';
import type { Answer } from './asker.ts';

/** A skill that may be run here, by the name that people type. */
export interface KnownSkill {
  readonly name: string;
  readonly path: string;
  readonly label: Label;
}

const FILE = /^skills\/([A-Za-z0-9][A-Za-z0-9._-]{0,79})\.md$/;
const MOST = 50;

/** Skills that staff stands behind and the people of this place may see. */
export async function knownSkills(
  deps: Pick<EngineDeps, 'files'>,
  context: Context,
): Promise<readonly KnownSkill[]> {
  const clearance = clearanceOf(context);
  const skills: KnownSkill[] = [];
  for (const { path } of await deps.files.list(context.workspace, 'skills')) {
    const name = FILE.exec(path)?.[1];
    const label = name === undefined ? undefined : await labelOf(deps, context, path);
    if (name === undefined || label === undefined || skills.length >= MOST) continue;
    if (label.integrity >= INTEGRITY.staff && canFlow(label, clearance)) skills.push({ name, path, label });
  }
  return skills;
}

/** Of the version that counts; undefined for one that is not there or that the guards refuse. */
async function labelOf(
  deps: Pick<EngineDeps, 'files'>,
  context: Context,
  path: string,
): Promise<Label | undefined> {
  try {
    return (await deps.files.readControl(context.workspace, path))?.label;
  } catch (thrown) {
    if (thrown instanceof AppError && thrown.kind !== 'bug' && thrown.kind !== 'unavailable')
      return undefined;
    throw thrown;
  }
}

/** `/run SKILL INPUT`: a task that names the file of the skill; an unknown one lists those that are there. */
export async function runSkill(deps: EngineDeps, context: Context, rest: string): Promise<Answer> {
  const [, wanted = '', input = ''] = /^(\S*)\s*([\s\S]*)$/.exec(rest) ?? [];
  const skills = await knownSkills(deps, context);
  const skill = skills.find((one) => one.name.toLowerCase() === wanted.toLowerCase());
  if (skill !== undefined) {
    const task = [`Follow the skill "${skill.name}" (${skill.path}).`, input.trim()].filter(
      (one) => one !== '',
    );
    return { text: '', label: skill.label, task: task.join('\n\n') };
  }
  if (skills.length === 0)
    return { text: 'No skill can be run here yet. An admin adds one: skills/NAME.md', label: publicLabel(2) };
  return {
    text: `${wanted === '' ? 'Say which skill' : 'There is no such skill here'}: ${skills.map(({ name }) => name).join(', ')}`,
    label: join(...skills.map(({ label }) => label)),
  };
}
