import type { Protocol } from '../plan/protocol.js';

type Fields = Readonly<Record<string, unknown>>;

/** A transaction, account or alert that is accused, or known to be fraud. */
export interface Subject {
  readonly id: string;
  /** Event time in ms; of an account or alert: when it was first accused or seen in the range. */
  readonly time: number;
  /** In units of the currency; 0 where no field of money is named. */
  readonly amount: number;
  readonly card: string;
  /** By which frauds are put together, where labels do not do so. */
  readonly episodeKey: string;
  /** By which subjects are left out. */
  readonly excludeKey: string;
}

/** Makes subjects of the fields of an event. What the event does not have is empty. */
export class SubjectReader {
  constructor(private readonly protocol: Protocol) {}

  read(id: string, fields: Fields, time: number): Subject {
    const { amount, amountUnits, card, episodeKey, exclude } = this.protocol;
    return {
      id,
      time,
      amount: amount === null ? 0 : (Number(fields[amount]) || 0) / amountUnits,
      card: textOf(fields, card),
      episodeKey: textOf(fields, episodeKey),
      excludeKey: textOf(fields, exclude?.key ?? null),
    };
  }

  /** The id of an event as a subject, as it stands there; `null` or `undefined`: it has none. */
  idOf(fields: Fields): unknown {
    const { of, idField, accountField } = this.protocol;
    return fields[(of === 'account' ? accountField : idField) ?? ''];
  }
}

function textOf(fields: Fields, name: string | null): string {
  const value = name === null ? undefined : fields[name];
  return value === null || value === undefined ? '' : String(value);
}
