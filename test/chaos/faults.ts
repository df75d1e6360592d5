/** What goes wrong in a round. Each fault ends with everything started again and connected; being well again takes longer. */
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { KafkaCluster } from '../harness/servers/index.js';
import type { Dice } from './random.js';
import type { Service } from './service.js';

export interface Surroundings {
  readonly kafka: KafkaCluster;
  readonly nodes: number;
  readonly checkpoints: string;
}

type ServiceFault = (service: Service, dice: Dice, around: Surroundings) => Promise<string>;

const seconds = (dice: Dice, least: number, most: number): number => dice.between(least * 1000, most * 1000);
const shown = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;

async function killed(service: Service, dice: Dice, meanwhile: () => void): Promise<string> {
  const downMs = seconds(dice, 0, 4);
  await service.kill9();
  meanwhile();
  await sleep(downMs);
  service.start();
  return `down for ${shown(downMs)}`;
}

async function frozen(service: Service, ms: number): Promise<string> {
  service.freeze();
  await sleep(ms);
  service.thaw();
  return `for ${shown(ms)}`;
}

async function disturbed({ network }: Service, ms: number, disturb: () => void): Promise<string> {
  disturb();
  await sleep(ms);
  network.heal();
  return `for ${shown(ms)}`;
}

function deleteContents(folder: string): void {
  for (const name of readdirSync(folder)) rmSync(join(folder, name), { recursive: true, force: true });
}

/** The session of a member ends after 15 s, a transaction after 10 s. */
const SERVICE_FAULTS = {
  kill: (service, dice) => killed(service, dice, () => undefined),
  restart: async (service) => {
    const inTime = await service.stop();
    service.start();
    return inTime ? 'in good order' : 'which did not stop in time';
  },
  'freeze, short': (service, dice) => frozen(service, seconds(dice, 10, 13)),
  'freeze, long': (service, dice) => frozen(service, seconds(dice, 17, 35)),
  cut: (service, dice) => disturbed(service, seconds(dice, 2, 22), () => service.network.cut()),
  silence: (service, dice) => disturbed(service, seconds(dice, 3, 25), () => service.network.silence()),
  delay: (service, dice) =>
    disturbed(service, seconds(dice, 5, 12), () => {
      service.network.delayMs = dice.between(100, 1_500);
    }),
  'lost answers': (service, dice) =>
    disturbed(service, seconds(dice, 5, 12), () => {
      service.network.lostAnswers = 0.02 + 0.1 * dice.next();
    }),
  'state deleted': (service, dice) => killed(service, dice, () => service.deleteState()),
  'state and copies deleted': (service, dice, { checkpoints }) =>
    killed(service, dice, () => {
      service.deleteState();
      deleteContents(checkpoints);
    }),
} as const satisfies Readonly<Record<string, ServiceFault>>;

const BROKER = 'kill broker';
export type FaultKind = keyof typeof SERVICE_FAULTS | typeof BROKER;
export const FAULT_KINDS: readonly FaultKind[] = [...(Object.keys(SERVICE_FAULTS) as FaultKind[]), BROKER];

/** Kinds of each round: all come equally often; in a third of the rounds there are two, of different targets. */
export function planOf(rounds: number, dice: Dice): readonly (readonly FaultKind[])[] {
  let deck: FaultKind[] = [];
  const draw = (other?: FaultKind): FaultKind => {
    if (deck.length === 0) deck = dice.shuffled([...FAULT_KINDS, BROKER]);
    const at = deck.findIndex((kind) => kind !== BROKER || other !== BROKER);
    return at < 0 ? dice.oneOf(FAULT_KINDS.slice(0, -1)) : deck.splice(at, 1)[0]!;
  };
  return Array.from({ length: rounds }, () => {
    const first = draw();
    return dice.chance(1 / 3) ? [first, draw(first)] : [first];
  });
}

/** Has it all happen, begun within a few seconds of each other. Resolves, with what was done, when all of it is over. */
export async function cause(
  kinds: readonly FaultKind[],
  services: readonly Service[],
  dice: Dice,
  around: Surroundings,
): Promise<readonly string[]> {
  const targets = dice.shuffled(services);
  return Promise.all(
    kinds.map(async (kind, i) => {
      if (i > 0) await sleep(seconds(dice, 0, 4));
      if (kind === BROKER) return `${kind} ${await killBroker(dice, around)}`;
      const service = targets[i % targets.length]!;
      service.note(kind);
      return `${kind} ${service.name} ${await SERVICE_FAULTS[kind](service, dice, around)}`;
    }),
  );
}

async function killBroker(dice: Dice, { kafka, nodes }: Surroundings): Promise<string> {
  const node = dice.between(1, nodes);
  const downMs = seconds(dice, 0, 10);
  await kafka.kill9(node);
  await sleep(downMs);
  await kafka.startNode(node);
  return `${node} down for ${shown(downMs)}`;
}
