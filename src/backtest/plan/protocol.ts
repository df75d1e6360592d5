import { fieldName, fieldNameIf } from '../../engine/index.js';
import type { ProtocolSettings } from '../../runtime/settings/backtest.js';
import type { Settings } from '../../runtime/settings/index.js';
import { RunError } from '../run/file-streams.js';

/** How the labels are to be read. */
export interface LabelProtocol {
  readonly file: string;
  /** Field with the id of what is labelled. */
  readonly id: string;
  readonly fraud?: string;
  readonly scenario?: string;
  readonly episode?: string;
  readonly knownAt?: string;
}

/** What is scored, and how: the section `backtest` of the settings with its profile and defaults filled in. Times in ms. */
export interface Protocol {
  readonly profile: string | null;
  /** Event time of the accused: from this on, and before `to`. Infinite where nothing is said. */
  readonly from: number;
  readonly to: number;
  /** How long before `from` the reading of a topic begins; `null`: as long as the rules look back. */
  readonly warmupMs: number | null;
  /** `null`: there are none, and so no precision or recall. */
  readonly labels: LabelProtocol | null;
  readonly of: 'transaction' | 'account' | 'alert';
  /** Name of the stream whose events are accused. */
  readonly stream: string;
  /** Fields of its events: the id; for `of: account` the account. */
  readonly idField: string | null;
  readonly accountField: string | null;
  readonly knownAfterMs: number;
  readonly accuse: string;
  readonly onePerTransaction: boolean;
  readonly combine: 'max' | 'sum' | 'noisyOr';
  readonly amount: string | null;
  readonly amountUnits: number;
  readonly card: string | null;
  readonly topK: number;
  readonly capacity: number | null;
  readonly episodeKey: string | null;
  readonly episodeGapMs: number;
  readonly exclude: { readonly key: string; readonly since: number } | null;
  readonly price: { readonly falseAlert: number; readonly missedFraud: number | null } | null;
}

/** What a command says in place of the settings. */
export interface ProtocolOptions {
  readonly profile?: string;
  readonly from?: number;
  readonly to?: number;
  readonly warmup?: number;
  /** File with the labels. */
  readonly labels?: string;
}

const DAY = 86_400_000;

/** Throws `RunError` when the profile or the stream is not there. */
export function protocolOf(settings: Settings, options: ProtocolOptions = {}): Protocol {
  const { profiles, ...base } = settings.backtest;
  const profile = options.profile === undefined ? undefined : profiles[options.profile];
  if (options.profile !== undefined && profile === undefined) {
    const known = Object.keys(profiles).join(', ') || 'none';
    throw new RunError(`The config has no profile ${options.profile}; it has: ${known}.`);
  }
  const said = profile === undefined ? base : overlay(base, profile);
  const stream = scoredStream(settings, said.labels.stream);
  const card = fieldNameIf(said.card ?? stream.key);
  const file = options.labels ?? said.labels.file;
  const { id, fraud, scenario, episode, knownAt } = said.labels;
  return {
    profile: options.profile ?? null,
    from: options.from ?? said.from ?? Number.NEGATIVE_INFINITY,
    to: options.to ?? said.to ?? Number.POSITIVE_INFINITY,
    warmupMs: options.warmup ?? said.warmup ?? null,
    labels: file === undefined ? null : { file, id: id ?? stream.id ?? 'id', fraud, scenario, episode, knownAt },
    of: said.labels.of ?? 'transaction',
    stream: stream.name,
    idField: fieldNameIf(stream.id),
    accountField: fieldNameIf(said.labels.account ?? stream.key),
    knownAfterMs: said.labels.knownAfter ?? 0,
    accuse: said.accuse ?? 'last',
    onePerTransaction: said.onePerTransaction ?? true,
    combine: said.combine ?? 'max',
    amount: fieldNameIf(said.amount),
    amountUnits: said.amountUnits ?? 1,
    card,
    topK: said.topK ?? 100,
    capacity: said.capacity ?? null,
    episodeKey: fieldNameIf(said.episode.key) ?? card,
    episodeGapMs: said.episode.gap ?? 14 * DAY,
    exclude:
      said.exclude.key === undefined
        ? null
        : { key: fieldName(said.exclude.key), since: said.exclude.since ?? Number.NEGATIVE_INFINITY },
    price:
      said.price.falseAlert === undefined
        ? null
        : { falseAlert: said.price.falseAlert, missedFraud: said.price.missedFraud ?? null },
  };
}

/** The fields of the scored stream that are read beside those of the rules. */
export function fieldsOf(protocol: Protocol): string[] {
  const { idField, accountField, amount, card, episodeKey, exclude, of } = protocol;
  const account = of === 'account' ? accountField : null;
  const names = [idField, account, amount, card, episodeKey, exclude?.key ?? null];
  return [...new Set(names.filter((name) => name !== null))];
}

function overlay(base: ProtocolSettings, over: ProtocolSettings): ProtocolSettings {
  const merged: Record<string, unknown> = { ...base };
  for (const [name, value] of Object.entries(over)) {
    const isSection = typeof value === 'object' && value !== null;
    if (value !== undefined) merged[name] = isSection ? defined(merged[name] as object, value) : value;
  }
  return merged as unknown as ProtocolSettings;
}

const defined = (base: object, over: object): object => ({
  ...base,
  ...Object.fromEntries(Object.entries(over).filter(([, value]) => value !== undefined)),
});

function scoredStream(settings: Settings, name: string | undefined) {
  const streams = Object.values(settings.streams);
  const found = name === undefined ? streams[0] : streams.find((stream) => stream.name === name);
  if (found !== undefined) return found;
  const known = streams.map((stream) => stream.name).join(', ');
  throw new RunError(`backtest.labels.stream is ${name}, which is no stream of the config; it has: ${known}.`);
}
