import type { Expr } from '../../../engine/index.js';
import { type CelNode, parseCel } from '../../condition/cel.js';
import { checkCondition } from '../../condition/check-condition.js';
import type { Scope } from '../../condition/scope.js';
import { suggest } from '../../source/nearest.js';
import type { Reporter, Span } from '../../source/source-file.js';
import { AVIATOR_FUNCTIONS } from './functions.js';
import { MappedText } from './mapped-text.js';
import { simplified } from './simplify.js';

type Binary = Extract<CelNode, { op: '==' | '!=' | '<' | '<=' | '>' | '>=' }>;

/** What AVIATOR has and conditions have not, by how it begins where the parser of conditions stops. */
const REFUSED: readonly (readonly [form: RegExp, what: string])[] = [
  [/^=~/, 'the match with a regular expression (=~)'],
  [/^\/.*\//, 'a regular expression'],
  [/^\*/, 'the power **'],
  [/^(;|=(?!=)|let\b|if\b|for\b|while\b|return\b|fn\b|lambda\b|new\b|use\b)/, 'a script of statements'],
  [/^(->|@)/, 'a function or annotation of its own'],
  [/^(<<|>>|&(?!&)|\|(?!\|)|\^|~)/, 'an operation on bits'],
  [/^[NM]\b/, 'a number with a type (N, M)'],
  [/^#/, 'a variable in the form #name, or a comment'],
];

/**
 * The condition that an AVIATOR expression is, or `null` when it is no condition (which is reported, by name). Its grammar is, as far as
 * conditions can have the same meaning, that of CEL. The meaning differs where a value is missing: `nil` is less than anything else there and
 * equal to itself, while here every comparison with a missing value is false; so what is not surely there is asked for.
 */
export function fromAviator(text: string, scope: Scope, reporter: Reporter): Expr | null {
  const node = parse(text, reporter);
  if (node === null) return null;
  const out = new Translation(scope, reporter);
  out.write(node);
  if (out.failed) {
    out.tellUnknownFields();
    return null;
  }
  if (!out.readsEvent) return constant(node, reporter);
  const expr = checkCondition(out.cel.text, scope, out.cel.reporter(reporter));
  return expr && simplified(expr);
}

function parse(text: string, reporter: Reporter): CelNode | null {
  const refuse: Reporter = {
    warning: () => undefined,
    error: (code, span, message, hint) => {
      const named = [span.start, span.start - 1]
        .filter((at) => at >= 0)
        .flatMap((at) => REFUSED.find(([form]) => form.test(text.slice(at)))?.[1] ?? [])[0];
      if (named === undefined) reporter.error(code, span, message, hint);
      else reporter.error('not-expressible', span, `AVIATOR: ${named} cannot be expressed here.`, ONLY);
    },
  };
  return parseCel(text, refuse);
}

const ONLY = 'Comparisons, &&, ||, !, arithmetic and functions of texts and numbers can.';

/** Flink does not even look at the value of an expression that reads nothing of the event: it holds. */
function constant(node: CelNode, reporter: Reporter): Expr | null {
  if (node.op === 'value' && node.args === true) return { op: 'const', value: true };
  const message = 'The expression reads nothing of the event: Flink takes it to hold, whatever its value is.';
  reporter.error('not-expressible', node.range, message, 'Leave the condition out, if it is to hold always.');
  return null;
}

class Translation {
  readonly cel = new MappedText();
  failed = false;
  private readonly fields: { readonly name: string; readonly span: Span }[] = [];

  constructor(
    private readonly scope: Scope,
    private readonly reporter: Reporter,
  ) {}

  get readsEvent(): boolean {
    return this.fields.length > 0;
  }

  /** Where the rest is not checked any more. */
  tellUnknownFields(): void {
    const known = this.scope.schema?.fields;
    if (known === undefined) return;
    for (const { name, span } of this.fields) {
      if (known.has(name)) continue;
      this.reporter.error('unknown-field', span, `There is no field ${name}.`, suggest(name, known.keys()));
    }
  }

  write(node: CelNode): void {
    switch (node.op) {
      case 'value':
        this.value(node);
        break;
      case 'id':
        this.name(node.args, node.range);
        break;
      case '&&':
      case '||':
      case '+':
      case '-':
      case '*':
        this.operation(node);
        break;
      case '%':
        this.by(node, '%');
        break;
      case '/':
        this.division(node);
        break;
      case '!_':
      case '-_':
        this.put(node.op === '!_' ? '!' : '-', node.range);
        this.inner(node.args);
        break;
      case '?:':
        this.choice(node);
        break;
      case '==':
      case '!=':
      case '<':
      case '<=':
      case '>':
      case '>=':
        this.comparison(node);
        break;
      case 'call':
        this.call(node.args[0], node.args[1], node.range);
        break;
      case 'rcall':
        this.libraryCall(node);
        break;
      case '.':
        this.refuse(node.range, `the property of a property ${textOf(node)}`, 'Fields of the event itself can.');
        break;
      case 'in':
        this.refuse(node.range, 'in', 'It is no operator of AVIATOR: compare with ==, and join by ||.');
        break;
      default:
        this.refuse(node.range, textOf(node), ONLY);
        break;
    }
  }

  private put(text: string, span: Span): void {
    this.cel.add(text, span);
  }

  private inner(node: CelNode): void {
    const isAtom = node.op === 'value' || node.op === 'id' || node.op === 'call' || node.op === 'rcall';
    if (!isAtom) this.put('(', node.range);
    this.write(node);
    if (!isAtom) this.put(')', node.range);
  }

  private value(node: Extract<CelNode, { op: 'value' }>): void {
    const { args: value, range } = node;
    if (value === null) {
      this.refuse(range, 'null', 'AVIATOR calls it nil.');
      return;
    }
    if (typeof value !== 'string') {
      // Unsigned numbers and bytes are CEL's own, and are told by the checker.
      this.put(textOf(node), range);
      return;
    }
    if (textOf(node).includes('#{')) {
      this.refuse(range, 'a value inside a text (#{…})', 'Compare the parts.');
      return;
    }
    this.put(JSON.stringify(value), range);
  }

  private name(name: string, span: Span): void {
    if (name === 'nil') {
      this.refuse(span, 'nil where a value is asked for', 'Write field == nil or field != nil.');
      return;
    }
    const { schema } = this.scope;
    if ((name === 'time' || name === 'kind' || name === 'key') && !schema?.fields.has(name)) {
      const message = `The field ${name} cannot be read: in conditions the word means something else, unless the stream has it.`;
      this.failed = true;
      this.reporter.error('not-expressible', span, message, 'Give the config whose stream has the field: --config.');
      return;
    }
    this.fields.push({ name, span });
    this.put(name, span);
  }

  private operation(node: Extract<CelNode, { op: '&&' | '||' | '+' | '-' | '*' }>): void {
    const [left, right] = node.args;
    this.inner(left);
    this.put(` ${node.op} `, node.range);
    this.inner(right);
  }

  /** Whole numbers are divided without their rest there, and zero by zero is greater than any number. */
  private division(node: Extract<CelNode, { op: '/' }>): void {
    const [left, right] = node.args;
    if (!isDecimal(left) && !isDecimal(right)) {
      const hint = 'Make one side a decimal number: amount / 2.0, or 1.0 * a / 2.';
      this.refuse(node.range, `the division ${textOf(node)}, which drops the rest of whole numbers,`, hint);
      return;
    }
    this.by(node, '/');
  }

  private by(node: Extract<CelNode, { op: '/' | '%' }>, sign: '/' | '%'): void {
    const [left, right] = node.args;
    if (right.op !== 'value' || Number(right.args) === 0) {
      const hint = 'Multiply instead: a > 0.9 * b.';
      this.refuse(node.range, `the division by ${textOf(right)}, which may be zero,`, hint);
      return;
    }
    this.inner(left);
    this.put(` ${sign} `, node.range);
    this.inner(right);
  }

  private choice(node: Extract<CelNode, { op: '?:' }>): void {
    const [test, yes, no] = node.args;
    this.inner(test);
    this.put(' ? ', node.range);
    this.inner(yes);
    this.put(' : ', node.range);
    this.inner(no);
  }

  private comparison(node: Binary): void {
    const [left, right] = node.args;
    if (isNil(left) || isNil(right)) {
      this.absence(node, isNil(left) ? right : left);
      return;
    }
    const guard = this.guard(node);
    if (guard !== null) this.put(`(${guard} || `, node.range);
    this.inner(left);
    this.put(` ${node.op} `, node.range);
    this.inner(right);
    if (guard !== null) this.put(')', node.range);
  }

  private absence(node: Binary, other: CelNode): void {
    if (other.op !== 'id' || other.args === 'nil' || (node.op !== '==' && node.op !== '!=')) {
      this.refuse(node.range, textOf(node), 'A field can be compared with nil, by == and !=.');
      return;
    }
    this.name(other.args, other.range);
    this.put(` ${node.op} null`, node.range);
  }

  /** When the comparison is true although a value is missing; `null`: never. */
  private guard({ op, args: [left, right] }: Binary): string | null {
    const [a, b] = [this.maybeMissing(left), this.maybeMissing(right)];
    const none = (name: string): string => `${name} == null`;
    if (op === '==') return a !== null && b !== null ? `(${none(a)} && ${none(b)})` : null;
    if (op === '!=') {
      if (a !== null && b !== null) return `((${none(a)}) != (${none(b)}))`;
      const one = a ?? b;
      return one === null ? null : none(one);
    }
    const [less, more] = op === '<' || op === '<=' ? [a, b] : [b, a];
    if (less === null) return null;
    return more !== null && op.length === 1 ? `(${none(less)} && ${more} != null)` : none(less);
  }

  /** The name of a field that may have no value. What is computed of one that has none is an error there. */
  private maybeMissing(node: CelNode): string | null {
    if (node.op !== 'id' || node.args === 'nil') return null;
    const known = this.scope.schema?.fields.get(node.args);
    return known?.optional === false ? null : node.args;
  }

  private libraryCall(node: Extract<CelNode, { op: 'rcall' }>): void {
    const [name, receiver, args] = node.args;
    if (receiver.op === 'id' && (receiver.args === 'string' || receiver.args === 'math')) {
      this.call(`${receiver.args}.${name}`, args, node.range);
      return;
    }
    this.refuse(node.range, `the method ${name}`, 'Write string.contains(field, text) and the like.');
  }

  private call(name: string, args: readonly CelNode[], span: Span): void {
    const fn = AVIATOR_FUNCTIONS.find(({ aviator }) => aviator === name);
    if (fn === undefined) {
      const known = AVIATOR_FUNCTIONS.map(({ aviator }) => aviator).join(', ');
      this.refuse(span, `the function ${name}`, `These can: ${known}.`);
      return;
    }
    this.put(`${fn.cel}(`, span);
    args.forEach((arg, i) => {
      if (i > 0) this.put(', ', span);
      this.write(arg);
    });
    this.put(')', span);
  }

  private refuse(span: Span, what: string, hint: string): void {
    this.failed = true;
    this.reporter.error('not-expressible', span, `AVIATOR: ${what} cannot be expressed here.`, hint);
  }
}

const isNil = (node: CelNode): boolean => node.op === 'id' && node.args === 'nil';

const textOf = (node: CelNode): string => node.input.slice(node.start, node.end);

/** Whether the value is surely no whole number type, so that dividing it keeps the rest. */
function isDecimal(node: CelNode): boolean {
  switch (node.op) {
    case 'value':
      return typeof node.args === 'number';
    case '+':
    case '-':
    case '*':
    case '/':
      return isDecimal(node.args[0]) || isDecimal(node.args[1]);
    case '-_':
      return isDecimal(node.args);
    case 'rcall':
      return node.args[0] === 'floor' || node.args[0] === 'ceil';
    default:
      return false;
  }
}
