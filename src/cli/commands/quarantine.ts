import { userInfo } from 'node:os';
import type { Output } from '../output.js';
import { askService, bodyOf, jsonBody, type ServiceOptions } from '../service-client.js';

export interface LiftOptions extends ServiceOptions {
  readonly author?: string;
  readonly message?: string;
  readonly anyway?: boolean;
}

interface Stopped {
  readonly topic: string;
  readonly partition: number;
  readonly reason: string;
  readonly detail: string;
  readonly key: string;
  readonly time: number;
}

interface RuleAnswer {
  readonly id: string;
  readonly quarantined: readonly Stopped[];
}

/** The rules that the service has in quarantine, where and why. */
export async function showQuarantine(options: ServiceOptions, output: Output): Promise<number> {
  const response = await askService(options, 'GET', '/v1/rules');
  const { rules } = await bodyOf<{ readonly rules: readonly RuleAnswer[] }>(response);
  const stopped = rules.filter(({ quarantined }) => quarantined.length > 0);
  output.result(
    stopped.map(({ id, quarantined }) => ({ id, quarantined })),
    () => (stopped.length === 0 ? 'No rule is in quarantine there.' : stopped.map(inWords).join('\n')),
  );
  return 0;
}

/** Has a rule run again where it was stopped. */
export async function liftQuarantine(id: string, options: LiftOptions, output: Output): Promise<number> {
  const { author = userInfo().username, message = '', anyway = false } = options;
  const path = `/v1/patterns/${encodeURIComponent(id)}/quarantine/lift`;
  const response = await askService(options, 'POST', path, jsonBody({ author, message, anyway }));
  const answer = await bodyOf<{ readonly outcome: string; readonly revision: number | null }>(response);
  output.result(answer, () =>
    answer.outcome === 'pending'
      ? `Revision ${answer.revision} waits for approval; ${id} runs again with it.`
      : `Revision ${answer.revision}: ${id} runs again, with nothing under way.`,
  );
  return 0;
}

function inWords({ id, quarantined }: RuleAnswer): string {
  const places = quarantined.map(({ topic, partition, detail, key, time }) => {
    return `  ${topic}-${partition}: ${detail} (key ${key}, at ${new Date(time).toISOString()})`;
  });
  return [id, ...places].join('\n');
}
