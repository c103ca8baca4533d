// The commands that make a device join: the server's own instructions, with the code filled in. Pure.
import type { AgentDownloads, ClaimCreated } from '../api/types';

export interface JoinWay {
  key: string;
  title: string;
  lines: string[];
}

function fill(line: string, created: Pick<ClaimCreated, 'code' | 'claim'>): string {
  return line.replaceAll('{code}', created.code).replaceAll('{claim}', created.claim);
}

const kPlatforms: Record<string, string> = {
  'linux-x86_64': 'Linux, x86-64',
  'linux-aarch64': 'Linux, ARM64',
  any: 'Any device',
};

export function platformName(platform: string): string {
  return kPlatforms[platform] ?? platform;
}

/** One way for each instruction of the server; without any, what works with an agent that is installed. */
export function joinWays(agent: AgentDownloads | undefined, created: Pick<ClaimCreated, 'code' | 'claim'>): JoinWay[] {
  const ways = (agent?.instructions ?? []).map((instruction, i) => ({
    key: `${instruction.platform}-${i}`,
    title: instruction.platform === 'any' ? instruction.title : platformName(instruction.platform),
    lines: instruction.commands.map((line) => fill(line, created)),
  }));
  if (ways.length > 0) return ways;
  return [{ key: 'installed', title: 'Agent is installed', lines: [`holdfast-agent join - <<< ${created.code}`] }];
}

/** What a way does, as the server says it; '' when its title says all. */
export function wayNote(agent: AgentDownloads | undefined, key: string): string {
  const instruction = (agent?.instructions ?? []).find((x, i) => `${x.platform}-${i}` === key);
  return instruction && instruction.platform !== 'any' ? instruction.title : '';
}
