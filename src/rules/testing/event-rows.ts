import { isScalar, type YAMLMap } from 'yaml';
import type { FieldValue } from '../../engine/index.js';
import { keyFields } from '../key-name.js';
import { keysBy } from '../key-of.js';
import { type Entry, Section, type YamlFile } from '../read/yaml-section.js';
import type { Rule } from '../rule.js';
import type { EventField } from '../schema.js';
import { parseDuration } from '../source/duration.js';
import { suggest } from '../source/nearest.js';
import type { SourceFile } from '../source/source-file.js';
import { isTaken } from '../streams-read.js';
import type { TestEvent, TestStream } from './rule-test.js';

/** A Monday. Tests begin here unless a row has a time of its own. */
export const START_MS = Date.UTC(2026, 0, 5);
const AT_FORM = '10m (since the beginning), +10m (since the row before) or 2026-01-05T10:00:00Z';
const ROW_KEYS = ['id', 'at', 'kind'];

/** The events of one test, row by row. A field that a row does not have comes from the defaults, the nearest first. */
export class EventRows {
  readonly events: TestEvent[] = [];
  readonly ids = new Set<string>();
  private time = START_MS;
  private readonly keysOf: ReturnType<typeof keysBy>;

  constructor(
    private readonly yaml: YamlFile,
    private readonly rule: Rule,
    private readonly streams: readonly TestStream[],
    private readonly defaults: readonly Section[],
  ) {
    this.keysOf = keysBy(rule.keyBy);
  }

  add(node: YAMLMap): void {
    const row = new Section(this.yaml, node, 'An event', null);
    const stream = this.streamOf(row);
    if (stream === null) return;
    checkFields(row, [stream]);
    const id = row.text('id') ?? `#${this.events.length + 1}`;
    if (this.ids.has(id)) {
      this.yaml.source.error('duplicate-event', row.entry('id')!.span, `There is an event ${id} already.`);
    }
    this.ids.add(id);
    this.time = row.parsed('at', 'bad-time', AT_FORM, (text) => this.timeOf(text)) ?? this.time;
    const fields = this.fields(row, id, stream);
    const kind = stream.typeField === undefined ? this.lookUp(row, 'kind') : fields[stream.typeField];
    const ofStream = stream.name === undefined ? {} : { stream: stream.name };
    const event = { time: this.time, seq: this.events.length, kind: String(kind ?? ''), ...ofStream, fields };
    const keys = this.keysOf(event);
    if (keys.length === 0 && isTaken(this.rule, event)) {
      const names = keyFields(this.rule.keyBy, stream.name).join(' or ');
      row.missing(names, 'Add it to the row or to defaults: the rule groups by it.');
    }
    this.events.push({ id, keys, event });
  }

  /** `null`: wrong, and reported. */
  private streamOf(row: Section): TestStream | null {
    const [first, second] = this.streams;
    const names = this.streams.map(({ name }) => name!);
    const own = takesStream(this.streams) ? this.lookUp(row, 'stream') : undefined;
    if (own === undefined && second === undefined) return first!;
    if (own === undefined) {
      row.missing('stream', `Add stream: to the row or to defaults, one of ${names.join(', ')}.`);
      return null;
    }
    const found = this.streams.find(({ name }) => name === own) ?? null;
    if (found === null) {
      const span = row.entry('stream')?.span ?? row.span;
      const hint = suggest(String(own), names);
      row.source.error('unknown-stream', span, `The rule does not read a stream ${String(own)}.`, hint);
    }
    return found;
  }

  private fields(row: Section, id: string, stream: TestStream): Readonly<Record<string, FieldValue>> {
    const fields: Record<string, FieldValue> = {};
    for (const section of [...this.defaults, row]) {
      for (const key of fieldKeys(section, this.streams))
        if (has(stream, key)) fields[key] = entryValue(section.entry(key)!);
    }
    const { idField, timeField, schema } = stream;
    if (idField !== undefined) {
      const number = schema?.fields.get(idField)?.type === 'number' ? Number(id.replace(/^\D+/, '')) : Number.NaN;
      fields[idField] ??= Number.isNaN(number) ? id : number;
    }
    if (timeField !== undefined) {
      const asText = schema?.fields.get(timeField)?.type === 'string';
      fields[timeField] ??= asText ? new Date(this.time).toISOString() : this.time;
    }
    return fields;
  }

  private lookUp(row: Section, key: string): unknown {
    const section = [row, ...this.defaults.toReversed()].find((candidate) => candidate.entry(key) !== undefined);
    return section && entryValue(section.entry(key)!);
  }

  private timeOf(text: string): number | undefined {
    return timeOf(text, this.time);
  }
}

/** A time as tests write it; `before`: what `+` counts from. */
export function timeOf(text: string, before: number): number | undefined {
  const ms = parseDuration(text.replace(/^\+/, ''));
  if (ms !== undefined) return (text.startsWith('+') ? before : START_MS) + ms;
  const absolute = /^\d{4}-\d\d-\d\dT/.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(absolute) ? undefined : absolute;
}

/** Keys of a row that are fields; `kind` is one only where a stream has such a field, and so is `stream` of the only stream. */
function fieldKeys(section: Section, streams: readonly TestStream[]): readonly string[] {
  const kindIsField = streams.some(({ typeField, schema }) => typeField === 'kind' || schema?.fields.has('kind'));
  return section.keys.filter((key) => {
    if (key === 'stream') return !takesStream(streams);
    return !ROW_KEYS.includes(key) || (key === 'kind' && kindIsField);
  });
}

/** Whether `stream` in a row names the stream, and is not a field of the only one. */
const takesStream = (streams: readonly TestStream[]): boolean =>
  streams.length > 1 || (streams[0]!.name !== undefined && !streams[0]!.schema?.fields.has('stream'));

const has = ({ schema }: TestStream, field: string): boolean => schema === null || schema.fields.has(field);

/** That fields are there and values have their types: a slip here would make a test that shows nothing. */
export function checkFields(section: Section, streams: readonly TestStream[]): void {
  for (const key of fieldKeys(section, streams)) {
    const entry = section.entry(key)!;
    const found = streams.filter((stream) => has(stream, key));
    const field = found[0]?.schema?.fields.get(key);
    if (found.length === 0) {
      const hint = suggest(key, new Set(streams.flatMap(({ schema }) => [...(schema?.fields.keys() ?? [])])));
      section.source.error('unknown-field', entry.keySpan, `There is no field ${key}.`, hint);
    } else if (field !== undefined && found.length === 1) {
      checkValue(entry, field, section.source);
    }
  }
}

function checkValue(entry: Entry, field: EventField, source: SourceFile): void {
  const value = entryValue(entry);
  if (value === null || value === undefined) {
    if (!field.optional) source.error('type-mismatch', entry.span, `${field.name} cannot be null.`);
  } else if (field.type !== 'other' && typeof value !== field.type) {
    const hint = field.type === 'string' ? 'Put the value in quotes.' : undefined;
    source.error('type-mismatch', entry.span, `${field.name} takes a ${field.type}.`, hint);
  } else if (field.symbols !== undefined && !field.symbols.includes(String(value))) {
    const hint = suggest(String(value), field.symbols);
    source.error('unknown-symbol', entry.span, `${field.name} is never '${String(value)}'.`, hint);
  }
}

function entryValue(entry: Entry): unknown {
  return isScalar(entry.node) ? entry.node.value : entry.node?.toJSON();
}
