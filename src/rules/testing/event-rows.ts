import { isScalar, type YAMLMap } from 'yaml';
import type { FieldValue } from '../../engine/index.js';
import { type Entry, Section, type YamlFile } from '../read/yaml-section.js';
import type { Rule } from '../rule.js';
import type { EventField } from '../schema.js';
import { parseDuration } from '../source/duration.js';
import { suggest } from '../source/nearest.js';
import type { SourceFile } from '../source/source-file.js';
import type { TestEvent, TestStream } from './rule-test.js';

/** A Monday. Tests begin here unless a row has a time of its own. */
const START_MS = Date.UTC(2026, 0, 5);
const AT_FORM = '10m (since the beginning), +10m (since the row before) or 2026-01-05T10:00:00Z';
const ROW_KEYS = ['id', 'at', 'kind'];

/** The events of one test, row by row. A field that a row does not have comes from the defaults, the nearest first. */
export class EventRows {
  readonly events: TestEvent[] = [];
  readonly ids = new Set<string>();
  private time = START_MS;

  constructor(
    private readonly yaml: YamlFile,
    private readonly rule: Rule,
    private readonly stream: TestStream,
    private readonly defaults: readonly Section[],
  ) {}

  add(node: YAMLMap): void {
    const row = new Section(this.yaml, node, 'An event', null);
    checkFields(row, this.stream);
    const id = row.text('id') ?? `#${this.events.length + 1}`;
    if (this.ids.has(id)) {
      this.yaml.source.error('duplicate-event', row.entry('id')!.span, `There is an event ${id} already.`);
    }
    this.ids.add(id);
    this.time = row.parsed('at', 'bad-time', AT_FORM, (text) => this.timeOf(text)) ?? this.time;
    const fields = this.fields(row, id);
    const key = fields[this.rule.key];
    if (key === undefined || key === null)
      row.missing(this.rule.key, 'Add it to the row or to defaults: the rule groups by it.');
    const kind = this.stream.typeField === undefined ? this.lookUp(row, 'kind') : fields[this.stream.typeField];
    const event = { time: this.time, seq: this.events.length, kind: String(kind ?? ''), fields };
    this.events.push({ id, key: String(key), event });
  }

  private fields(row: Section, id: string): Readonly<Record<string, FieldValue>> {
    const fields: Record<string, FieldValue> = {};
    for (const section of [...this.defaults, row]) {
      for (const key of fieldKeys(section, this.stream)) fields[key] = entryValue(section.entry(key)!);
    }
    const { idField, timeField, schema } = this.stream;
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
    const ms = parseDuration(text.replace(/^\+/, ''));
    if (ms !== undefined) return (text.startsWith('+') ? this.time : START_MS) + ms;
    const absolute = /^\d{4}-\d\d-\d\dT/.test(text) ? Date.parse(text) : Number.NaN;
    return Number.isNaN(absolute) ? undefined : absolute;
  }
}

/** Keys of a row that are fields; `kind` is one only where the stream has such a field. */
function fieldKeys(section: Section, stream: TestStream): readonly string[] {
  const kindIsField = stream.typeField === 'kind' || stream.schema?.fields.has('kind') === true;
  return section.keys.filter((key) => !ROW_KEYS.includes(key) || (key === 'kind' && kindIsField));
}

/** That fields are there and values have their types: a slip here would make a test that shows nothing. */
export function checkFields(section: Section, stream: TestStream): void {
  if (stream.schema === null) return;
  for (const key of fieldKeys(section, stream)) {
    const entry = section.entry(key)!;
    const field = stream.schema.fields.get(key);
    if (field === undefined) {
      const hint = suggest(key, stream.schema.fields.keys());
      section.source.error('unknown-field', entry.keySpan, `There is no field ${key}.`, hint);
    } else {
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
