import type { OnUpdate, Rule } from '../rule.js';
import type { Section } from './yaml-section.js';

export const LIFE_KEYS = ['onUpdate', 'canary', 'lifted'] as const;
export const ON_UPDATE: readonly OnUpdate[] = ['keep', 'restart', 'drain', 'backfill'];

type Life = Pick<Rule, 'onUpdate' | 'canary' | 'lifted'>;

/** What a rule says of how it is brought into force and changed. `hasWindow`: it emits when windows end. */
export function readLife(section: Section, hasWindow: boolean): Life {
  const onUpdate = section.choice('onUpdate', ON_UPDATE);
  if (onUpdate === 'drain' && hasWindow) {
    const message = 'Windows cannot be drained: none would be whole.';
    const hint = 'Write keep, or restart: the first window then begins with the change.';
    section.source.error('bad-value', section.entry('onUpdate')!.span, message, hint);
  }
  const canary = section.parsed('canary', 'bad-value', 'a percentage: a whole number from 1 to 100', percentage);
  const lifted = section.parsed('lifted', 'bad-value', 'a whole number from 1 on', wholeNumber);
  return {
    ...(onUpdate === undefined ? {} : { onUpdate }),
    // All keys are what is meant where nothing is said.
    ...(canary === undefined || canary === 100 ? {} : { canary }),
    ...(lifted === undefined ? {} : { lifted }),
  };
}

function wholeNumber(text: string): number | undefined {
  const number = Number(text);
  return /^\d+$/.test(text) && Number.isSafeInteger(number) && number >= 1 ? number : undefined;
}

const percentage = (text: string): number | undefined => {
  const number = wholeNumber(text);
  return number !== undefined && number <= 100 ? number : undefined;
};
