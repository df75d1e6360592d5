import type { EventField, EventSchema, FieldType } from '../schema.js';

const field = (name: string, type: FieldType, more: Partial<EventField> = {}): EventField => ({
  name,
  type,
  optional: false,
  ...more,
});

const types = ['Payment', 'Withdrawal', 'Transfer', 'Login'];

/** A small schema for specs: numbers, text, an enum, an optional field and one that cannot be compared. */
export const payments: EventSchema = {
  stream: 'payments',
  fields: new Map(
    [
      field('transactionId', 'string'),
      field('accountId', 'string'),
      field('eventTime', 'number'),
      field('type', 'string', { symbols: types }),
      field('amount', 'number'),
      field('country', 'string'),
      field('approved', 'boolean'),
      field('deviceId', 'string', { optional: true }),
      field('labels', 'other', { optional: true }),
    ].map((f) => [f.name, f]),
  ),
  kinds: new Set(types),
  kindParents: new Map(),
};
