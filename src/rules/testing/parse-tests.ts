import { isMap, isScalar, isSeq, type Node, type YAMLMap } from 'yaml';
import type { Step } from '../../engine/index.js';
import type { Diagnostic } from '../diagnostic.js';
import { readYaml } from '../read/read-yaml.js';
import { Section, spanOf, type YamlFile } from '../read/yaml-section.js';
import type { Rule } from '../rule.js';
import { suggest } from '../source/nearest.js';
import { SourceFile } from '../source/source-file.js';
import { checkFields, EventRows } from './event-rows.js';
import type { ExpectedAlert, RuleTest, TestStream } from './rule-test.js';
import { readTestLists } from './test-lists.js';
import { streamsOfRule } from './test-streams.js';
import { readWindowAlert } from './window-alerts.js';

export interface ParsedTests {
  /** Empty when there is any error. */
  readonly tests: readonly RuleTest[];
  readonly diagnostics: readonly Diagnostic[];
}

/**
 * Reads the tests of a rule that runs on this stream, or on those of these streams that it names. All that is wrong is told at once; never throws for
 * bad text.
 */
export function parseRuleTests(
  text: string,
  file: string,
  rule: Rule,
  given: TestStream | readonly TestStream[],
): ParsedTests {
  const streams = streamsOfRule(rule, given);
  const source = new SourceFile(file, text);
  const document = readYaml(source);
  const tests: RuleTest[] = [];
  if (document !== null) {
    if (isMap(document.contents))
      tests.push(...new TestsReader({ source, document }, rule, streams).read(document.contents));
    else
      source.error(
        'wrong-form',
        { start: 0, end: 1 },
        'A file of tests is a map of keys and values.',
        'Begin with tests:',
      );
  }
  return { tests: source.hasErrors ? [] : tests, diagnostics: source.diagnostics };
}

/** What all tests of a file have in common. */
interface Shared {
  readonly defaults: Section | undefined;
  readonly lists: Section | undefined;
}

class TestsReader {
  private readonly steps: readonly string[];

  constructor(
    private readonly yaml: YamlFile,
    private readonly rule: Rule,
    private readonly streams: readonly TestStream[],
  ) {
    this.steps = rule.pattern.steps.flatMap(namesOf);
  }

  read(node: YAMLMap): readonly RuleTest[] {
    const file = new Section(this.yaml, node, 'The file', ['defaults', 'lists', 'tests']);
    const defaults = file.section('defaults', 'defaults', null);
    if (defaults !== undefined) checkFields(defaults, this.streams);
    const shared = { defaults, lists: file.section('lists', 'lists', null) };
    const list = file.entry('tests');
    if (list === undefined) file.missing('tests', 'Add tests: with a list of tests.');
    else if (!isSeq(list.node)) file.wrong(list, 'a list of tests');
    if (!isSeq(list?.node)) return [];
    return this.maps(list.node.items as Node[], 'A test').map((test) => this.test(test, shared));
  }

  private test(node: YAMLMap, shared: Shared): RuleTest {
    const test = new Section(this.yaml, node, 'A test', ['name', 'defaults', 'lists', 'events', 'alerts']);
    const name = test.text('name') ?? '';
    if (!test.entry('name')) test.missing('name', 'Say in a few words what the test shows.');
    const own = test.section('defaults', 'defaults', null);
    if (own !== undefined) checkFields(own, this.streams);
    const rows = new EventRows(
      this.yaml,
      this.rule,
      this.streams,
      [shared.defaults, own].filter((d) => d !== undefined),
    );
    for (const row of this.list(test, 'events')) rows.add(row);
    const alerts = this.list(test, 'alerts').map((alert) => this.alert(alert, rows));
    const line = this.yaml.source.text.slice(0, test.span.start).split('\n').length;
    const events = rows.events.toSorted((a, b) => a.event.time - b.event.time || a.event.seq - b.event.seq);
    const lists = [shared.lists, test.section('lists', 'lists', null)].filter((l) => l !== undefined);
    return { name, file: this.yaml.source.file, line, events, alerts, lists: readTestLists(this.rule, lists, test) };
  }

  private list(test: Section, key: string): readonly YAMLMap[] {
    const entry = test.entry(key);
    if (entry === undefined) {
      test.missing(key, key === 'alerts' ? 'Write alerts: [] for none.' : 'Add events: with a list of events.');
      return [];
    }
    if (isSeq(entry.node)) return this.maps(entry.node.items as Node[], key === 'alerts' ? 'An alert' : 'An event');
    test.wrong(entry, 'a list');
    return [];
  }

  private maps(items: readonly Node[], what: string): readonly YAMLMap[] {
    return items.filter((item) => {
      if (isMap(item)) return true;
      this.yaml.source.error('wrong-form', spanOf(item), `${what} is a map of keys and values.`);
      return false;
    }) as YAMLMap[];
  }

  private alert(node: YAMLMap, rows: EventRows): ExpectedAlert {
    if (this.rule.pattern.window !== undefined) return readWindowAlert(this.yaml, node, this.rule.pattern.window);
    const alert = new Section(this.yaml, node, 'An alert', ['steps', 'message']);
    const message = alert.text('message');
    const steps = new Map<string, readonly string[]>();
    const section = alert.section('steps', 'steps', null);
    if (!alert.entry('steps')) alert.missing('steps', 'Write steps: {step: [event ids]}.');
    for (const step of section?.keys ?? []) {
      const entry = section!.entry(step)!;
      if (!this.steps.includes(step)) {
        this.yaml.source.error('unknown-step', entry.keySpan, `There is no step ${step}.`, suggest(step, this.steps));
      }
      const nodes = isSeq(entry.node) ? (entry.node.items as Node[]) : [entry.node];
      steps.set(
        step,
        nodes.flatMap((id) => this.eventId(id, section!, step, rows)),
      );
    }
    return { steps, ...(message === undefined ? {} : { message }) };
  }

  private eventId(node: Node | null, section: Section, step: string, rows: EventRows): string | [] {
    if (!isScalar(node) || node.value === null) {
      section.wrong(section.entry(step)!, 'the id of an event, or a list of ids');
      return [];
    }
    const id = String(node.source ?? node.value);
    if (!rows.ids.has(id)) {
      this.yaml.source.error('unknown-event', spanOf(node), `There is no event ${id}.`, suggest(id, rows.ids));
    }
    return id;
  }
}

function namesOf(step: Step): readonly string[] {
  return step.kind === 'group' ? step.steps.flatMap(namesOf) : [step.name];
}
