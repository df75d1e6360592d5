import type { Rule } from '../../rules/index.js';
import type { Alert, EventValues } from '../../runtime/ports/alert.js';
import { ROLES, type Role } from '../../runtime/settings/index.js';
import { anAlert } from '../testing/an-alert.js';
import { PersonalMask } from './personal-mask.js';
import { Principal } from './principal.js';

const who = (role: Role) => new Principal('ann', role, 'key');
const [step] = anAlert().steps;
const [event] = step!.events;

function alertWith(values: EventValues, over: Partial<Alert> = {}): Alert {
  const fields = { holder: 'Ann Lee', amount: 12_000 };
  return anAlert({ steps: [{ ...step!, events: [{ ...event!, fields, values }] }], ...over });
}

const rule = {
  id: 'offshore-drain',
  pattern: { steps: [], window: { aggregates: [{ name: 'lastHolder', fn: 'last', field: 'holder' }] } },
  features: [
    { name: 'before', feature: { fn: 'last', field: 'HOLDER', overMs: 1 } },
    { name: 'holders', feature: { fn: 'distinct', field: 'holder', overMs: 1 } },
    { name: 'land', feature: { fn: 'last', field: 'country', overMs: 1 } },
  ],
} as unknown as Rule;

describe('what conditions read, for those who may not see personal fields', () => {
  const mask = new PersonalMask(['holder', 'homeTown'], 'analyst', () => [rule]);
  const valuesFor = (role: Role, values: EventValues, over: Partial<Alert> = {}): EventValues =>
    mask.of(alertWith(values, over), who(role)).steps[0]!.events[0]!.values!;

  it.each(ROLES)('is whole for those who may: %s', (role) => {
    const values = { holder: 'Ann Lee', amount: 7 };
    const masked = { holder: '[redacted]', amount: 7 };
    expect(valuesFor(role, values)).toEqual(who(role).may('analyst') ? values : masked);
  });

  it.each<[string, EventValues, EventValues]>([
    ['a personal field', { holder: 'Ann Lee' }, { holder: '[redacted]' }],
    ['one of an earlier step', { 'large.holder': 'Bo Kim' }, { 'large.holder': '[redacted]' }],
    [
      'what was computed of one',
      { 'size(holder)': 7, "list('vip', homeTown)": 'yes' },
      { 'size(holder)': '[redacted]', "list('vip', homeTown)": '[redacted]' },
    ],
    ['the value of one under another name', { note: 'paid by Ann Lee' }, { note: 'paid by [redacted]' }],
    ['a feature of one, of events before', { before: 'Bo Kim' }, { before: '[redacted]' }],
    ['what was computed of such a feature', { 'lower(before)': 'bo kim' }, { 'lower(before)': '[redacted]' }],
    ['one that is missing', { holder: null }, { holder: null }],
    ['how many there were', { holders: 3 }, { holders: 3 }],
    [
      'what is not personal',
      { amount: 7, land: 'DE', 'sum(large.amount)': 9 },
      { amount: 7, land: 'DE', 'sum(large.amount)': 9 },
    ],
  ])('hides %s', (_, values, shown) => {
    expect(valuesFor('viewer', values)).toEqual(shown);
  });

  it('changes nothing of the alert that it was given', () => {
    const alert = alertWith({ holder: 'Ann Lee' });
    const before = JSON.stringify(alert);
    mask.of(alert, who('viewer'));
    expect(JSON.stringify(alert)).toBe(before);
  });
});

describe('features, for those who may not see personal fields', () => {
  const features = { before: 'Bo Kim', holders: 3, land: 'DE', lastHolder: 'Cy Orr' };
  const alert = alertWith({}, { features, message: 'after Bo Kim, then Cy Orr, in DE' });
  const masked = (rules: readonly Rule[]): Alert =>
    new PersonalMask(['holder'], 'analyst', () => rules).of(alert, who('viewer'));

  it('are hidden where they are values of a personal field, in the message too', () => {
    const { features: shown, message } = masked([rule]);
    expect(shown).toEqual({ before: '[redacted]', holders: 3, land: 'DE', lastHolder: '[redacted]' });
    expect(message).toBe('after [redacted], then [redacted], in DE');
  });

  it('are hidden where they are texts and the rule is no more', () => {
    expect(masked([]).features).toEqual({
      before: '[redacted]',
      holders: 3,
      land: '[redacted]',
      lastHolder: '[redacted]',
    });
    expect(JSON.stringify(masked([]))).not.toMatch(/Bo Kim|Cy Orr|Ann Lee/);
  });
});
