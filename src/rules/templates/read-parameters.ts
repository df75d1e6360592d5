import { isMap, isScalar, isSeq, type Node } from 'yaml';
import type { Diagnostic } from '../diagnostic.js';
import { readYaml } from '../read/read-yaml.js';
import { Section, type YamlFile } from '../read/yaml-section.js';
import { DURATION_FORM, parseDuration } from '../source/duration.js';
import { parametersOf } from '../source/parameters.js';
import { SourceFile } from '../source/source-file.js';
import { PARAMETER_TYPES, type Parameter, type ParameterType, writeValue } from './parameter.js';

export const PARAMETER_KEYS = ['type', 'title', 'description', 'default', 'minimum', 'maximum', 'choices'];

/** The section `parameters` of a rule's text, with the lines that belong to it. */
const SECTION = /^parameters[ \t]*:.*(?:\r?\n(?:[ \t#].*|[ \t]*(?=\r?\n|$)))*(?:\r?\n|$)/m;

export interface DeclaredParameters {
  readonly parameters: readonly Parameter[];
  readonly diagnostics: readonly Diagnostic[];
}

/**
 * What a rule says of its parameters. It is read before the rule is: the rest need not be YAML before values are filled in. Never throws for
 * bad text.
 */
export function readParameters(text: string, file: string): DeclaredParameters {
  const found = SECTION.exec(text);
  if (found === null) return { parameters: [], diagnostics: [] };
  const end = found.index + found[0].length;
  // Lines and columns stay what they are.
  const alone = blank(text.slice(0, found.index)) + found[0] + blank(text.slice(end));
  const source = new SourceFile(file, alone);
  const document = readYaml(source);
  if (document === null || !isMap(document.contents)) return { parameters: [], diagnostics: source.diagnostics };
  const parameters = new Reader({ source, document }, parametersOf(withoutParameters(text))).read(
    new Section({ source, document }, document.contents, 'The rule', null),
  );
  return { parameters, diagnostics: source.diagnostics };
}

/** The text without its section of parameters. */
export const withoutParameters = (text: string): string => text.replace(SECTION, '');

const blank = (text: string): string => text.replace(/[^\r\n]/g, ' ');

class Reader {
  constructor(
    private readonly yaml: YamlFile,
    /** Those that the rest of the text names, with the defaults that stand there. */
    private readonly used: ReadonlyMap<string, string | null>,
  ) {}

  read(rule: Section): readonly Parameter[] {
    const entry = rule.entry('parameters');
    if (entry === undefined || !isMap(entry.node)) {
      if (entry !== undefined) rule.wrong(entry, 'a map of names');
      return [];
    }
    const all = new Section(this.yaml, entry.node, 'The parameters', null);
    return all.keys.flatMap((name) => {
      const { keySpan } = all.entry(name)!;
      if (!/^[A-Za-z][A-Za-z0-9_]*$/.test(name)) {
        const hint = 'Use letters, digits and _, and begin with a letter.';
        this.yaml.source.error('bad-parameter-name', keySpan, `A parameter cannot be called ${name}.`, hint);
        return [];
      }
      if (!this.used.has(name)) {
        const hint = `Write \${${name}} where its value is to stand.`;
        this.yaml.source.warning('parameter-unused', keySpan, `The rule does not use the parameter ${name}.`, hint);
      }
      const section = all.section(name, `The parameter ${name}`, PARAMETER_KEYS);
      return section === undefined ? [] : this.parameter(name, section);
    });
  }

  private parameter(name: string, section: Section): Parameter | [] {
    const type = section.choice('type', PARAMETER_TYPES);
    if (section.entry('type') === undefined) section.missing('type', `Write one of ${PARAMETER_TYPES.join(', ')}.`);
    if (type === undefined) return [];
    const [title, description] = [section.text('title'), section.text('description')];
    const [minimum, maximum] = [this.bound(section, 'minimum', type), this.bound(section, 'maximum', type)];
    const choices = this.choices(section, type);
    const parameter: Parameter = {
      ...{ name, type },
      ...(title === undefined ? {} : { title }),
      ...(description === undefined ? {} : { description }),
      ...(minimum === undefined ? {} : { minimum }),
      ...(maximum === undefined ? {} : { maximum }),
      ...(choices === undefined ? {} : { choices }),
    };
    const byDefault = this.byDefault(section, parameter);
    return byDefault === undefined ? parameter : { ...parameter, default: byDefault };
  }

  private bound(section: Section, key: 'minimum' | 'maximum', type: ParameterType): number | undefined {
    const entry = section.entry(key);
    if (entry === undefined) return undefined;
    if (type === 'duration') return section.parsed(key, 'bad-duration', DURATION_FORM, parseDuration);
    if (type === 'number' || type === 'integer')
      return section.parsed(key, 'bad-value', 'a number', (text) =>
        Number.isNaN(Number(text)) ? undefined : Number(text),
      );
    const message = `A parameter of type ${type} has no ${key}.`;
    section.source.error('bad-value', entry.keySpan, message, 'Numbers and durations have bounds.');
    return undefined;
  }

  private choices(section: Section, type: ParameterType): readonly string[] | undefined {
    const entry = section.entry('choices');
    if (entry === undefined) return undefined;
    if (type !== 'text' && type !== 'texts' && type !== 'field') {
      const message = `A parameter of type ${type} has no choices.`;
      section.source.error('bad-value', entry.keySpan, message, 'Those of type text, texts and field have them.');
      return undefined;
    }
    const choices = textsIn(entry.node);
    if (choices !== null) return choices;
    section.wrong(entry, 'a list of texts');
    return undefined;
  }

  /** The default as it stands in the text: that of the section, or the one behind the colon. */
  private byDefault(section: Section, parameter: Parameter): string | undefined {
    const inText = this.used.get(parameter.name) ?? undefined;
    const entry = section.entry('default');
    if (entry === undefined) return inText;
    const value = isScalar(entry.node) ? entry.node.value : (textsIn(entry.node) ?? undefined);
    const written = writeValue(parameter, value);
    if ('problem' in written) {
      section.source.error('bad-value', entry.span, `The default ${written.problem}.`);
      return undefined;
    }
    if (inText !== undefined && inText !== written.text) {
      const message = `The default is ${inText} where the parameter stands.`;
      section.source.error(
        'default-twice',
        entry.span,
        message,
        `Leave one of them out: write \${${parameter.name}} there.`,
      );
    }
    return written.text;
  }
}

function textsIn(node: Node | null): readonly string[] | null {
  if (!isSeq(node)) return null;
  const texts = node.items.map((item) => (isScalar(item) ? String(item.value) : null));
  return texts.every((text) => text !== null) ? texts : null;
}
