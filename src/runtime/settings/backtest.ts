import { z } from 'zod';
import { choice, decimal, duration, flag, integer, moment, path, text } from './setting.js';

/**
 * What a profile may say in place of the section itself. Nothing has a default here, so that a profile lies on top of the
 * section leaf by leaf; `src/backtest/protocol.ts` fills in what neither says.
 */
const protocol = {
  from: moment.optional('Transactions before this time only warm up the rules.', { defaultText: 'the first event' }),
  to: moment.optional('Transactions from this time on are not scored.', { defaultText: 'after the last event' }),
  warmup: duration.optional('How long before `from` the reading of a topic begins, so that the rules are warm.', {
    defaultText: 'as long as the rules look back; from the first record where one may look back for ever, or skips',
  }),
  labels: z
    .strictObject({
      file: path.optional('File with the known frauds, one a row: Avro, NDJSON, CSV or Parquet, by its ending.'),
      id: text.optional('Field of the labels with the id of what is labelled.', { defaultText: "the stream's `id`" }),
      of: choice(['transaction', 'account', 'alert']).optional(
        'What the ids name: a transaction, an account, or an alert of an earlier run that was judged.',
        { defaultText: 'transaction' },
      ),
      stream: text.optional('Stream whose events the labels are about.', {
        defaultText: 'the first stream that names a file or topic',
      }),
      account: text.optional('For `of: account`: field of the events with the account.', {
        defaultText: "the stream's `key`",
      }),
      fraud: text.optional(
        'Field of the labels that is true, or not 0, for fraud; other rows are known to be genuine.',
        {
          defaultText: 'every row is fraud',
        },
      ),
      scenario: text.optional('Field of the labels with the kind of fraud, to measure each kind apart.'),
      episode: text.optional(
        'Field of the labels that is the same for the transactions of one fraud, such as its case.',
      ),
      knownAfter: duration.optional('How long after the transaction its label became known.', {
        defaultText: 'at once',
      }),
      knownAt: text.optional('Field of the labels with the time at which they became known, instead of `knownAfter`.'),
    })
    .prefault({}),
  accuse: text.optional(
    'Which transactions of a match an alert accuses: last (the latest one), all, or the name of a step. A rule may say otherwise with `alert.accuses`.',
    { defaultText: 'last' },
  ),
  onePerTransaction: flag.optional('Count at most one alert for a transaction.', { defaultText: 'true' }),
  combine: choice(['max', 'sum', 'noisyOr']).optional(
    'The score of a transaction that several alerts accuse: the highest, their sum (at most 100), or 100 less the product of what each leaves.',
    { defaultText: 'max' },
  ),
  amount: text.optional('Field of the events with the money at stake.', { defaultText: 'none: no figures of money' }),
  amountUnits: decimal(1e-6, 1e9).optional('How many units of that field are one of the currency: 100 for cents.', {
    defaultText: '1',
  }),
  card: text.optional('Field of the events with the card or customer, for the precision among the top k cards a day.', {
    defaultText: "the stream's `key`",
  }),
  topK: integer(1, 1_000_000).optional('How many transactions, or cards, are looked into a day.', {
    defaultText: '100',
  }),
  capacity: integer(1, 10_000_000).optional('How many alerts the analysts can look into a day.', {
    defaultText: 'none: workload is not compared with it',
  }),
  episode: z
    .strictObject({
      key: text.optional('Field of the events by which frauds are put together, where labels do not say so.', {
        defaultText: 'the same as `card`',
      }),
      gap: duration.optional('Frauds of one key that lie further apart are different ones.', { defaultText: '14d' }),
    })
    .prefault({}),
  exclude: z
    .strictObject({
      key: text.optional('Field of the events: those whose value had a fraud that was already known are not scored.', {
        defaultText: 'none: nothing is left out',
      }),
      since: moment.optional('Frauds before this time do not count as known.', { defaultText: 'all count' }),
    })
    .prefault({}),
  price: z
    .strictObject({
      falseAlert: decimal(0, 1e12).optional('What it costs to look into an alert for nothing.', {
        defaultText: 'none: no cost curve',
      }),
      missedFraud: decimal(0, 1e12).optional('What a missed fraud costs.', { defaultText: 'its amount' }),
    })
    .prefault({}),
};

/** A profile may measure other rules as well: those that rank rather than alert, for example. */
const inProfile = {
  ...protocol,
  patterns: path.optional('Folder of the patterns that this profile measures.', { defaultText: 'those of the config' }),
};

export const backtestSchema = z.strictObject({
  ...protocol,
  profiles: z.record(z.string().regex(/^[A-Za-z][A-Za-z0-9_-]*$/), z.strictObject(inProfile)).prefault({}),
});

export type BacktestSettings = z.output<typeof backtestSchema>;
export type ProtocolSettings = Omit<BacktestSettings, 'profiles'>;
