import { z } from 'zod';

/** A request that was answered. */
export interface Exchange {
  readonly method: string;
  /** Path and query, as asked for. */
  readonly url: string;
  /** As it was parsed; `undefined`: there was none. */
  readonly sent?: unknown;
  readonly status: number;
  readonly type: string | undefined;
  readonly body: string;
}

type Schema = Readonly<Record<string, unknown>>;
type Content = Readonly<Record<string, { readonly schema?: Schema } | undefined>>;

interface Operation {
  readonly parameters?: readonly { readonly name: string; readonly in: string }[];
  readonly requestBody?: { readonly content: Content };
  readonly responses: Readonly<Record<string, { readonly content?: Content } | undefined>>;
}

/** What of an OpenAPI document is read here. */
export interface OpenApi {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation | undefined>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> };
}

/**
 * Holds what is asked and answered against an OpenAPI document: status, content type, every field of the answer, and, of what
 * was done as asked, every field of the body and every parameter of the query. Fields that the document does not have are wrong too.
 * Operations that it does not have are passed over.
 */
export class Documented {
  private readonly routes: readonly { readonly path: RegExp; readonly methods: OpenApi['paths'][string] }[];
  private readonly defs: Schema;
  private readonly checkers = new Map<Schema, z.ZodType>();

  constructor(document: OpenApi) {
    // `/v1/alerts/live` before `/v1/alerts/{id}`.
    const byParameters = (path: string): number => path.split('{').length;
    this.routes = Object.entries(document.paths)
      .toSorted(([one], [other]) => byParameters(one) - byParameters(other))
      .map(([path, methods]) => ({ path: new RegExp(`^${path.replace(/\{\w+\}/g, '[^/]+')}$`), methods }));
    this.defs = eachStrict(document.components.schemas);
  }

  /** What is not as the document says; empty: all is. */
  deviations({ method, url, sent, status, type, body }: Exchange): readonly string[] {
    const { pathname, searchParams } = new URL(url, 'http://localhost');
    const route = this.routes.find(({ path }) => path.test(pathname));
    const operation = route?.methods[method.toLowerCase()];
    if (operation === undefined) return [];
    const where = `${method} ${url} → ${status}`;
    const answer = operation.responses[status] ?? operation.responses.default;
    if (answer === undefined) return [`${where}: the document does not have this status`];
    const found = this.inBody(answer.content, type, () => JSON.parse(body) as unknown, body === '');
    if (status < 400) {
      const known = new Set(operation.parameters?.filter((each) => each.in === 'query').map(({ name }) => name));
      for (const name of new Set(searchParams.keys()))
        if (!known.has(name)) found.push(`the document does not have the parameter ${name}`);
      if (typeof sent === 'object' && sent !== null)
        found.push(...this.inBody(operation.requestBody?.content, 'application/json', () => sent, false));
    }
    return found.map((what) => `${where}: ${what}`);
  }

  private inBody(content: Content = {}, type: string | undefined, read: () => unknown, isEmpty: boolean): string[] {
    const types = Object.keys(content);
    if (isEmpty && types.length === 0) return [];
    const mediaType = type?.split(';')[0];
    const schema = content[mediaType ?? '']?.schema;
    if (schema === undefined) return [`${mediaType} in place of ${types.join(' or ') || 'nothing'}`];
    if (!/[/+]json$/.test(mediaType!)) return [];
    const { error } = this.checker(schema).safeParse(read());
    return (error?.issues ?? []).map((issue) => `${issue.path.join('.')}: ${issue.message}`);
  }

  private checker(schema: Schema): z.ZodType {
    const known = this.checkers.get(schema);
    if (known !== undefined) return known;
    const whole = { ...(strict(schema) as Schema), $defs: this.defs };
    const made = z.fromJSONSchema(whole as Parameters<typeof z.fromJSONSchema>[0], { registry: z.registry() });
    this.checkers.set(schema, made);
    return made;
  }
}

/** As JSON Schema, with no other properties than those that are named: OpenAPI 3.0 has its own `nullable`, and its own place of schemas. */
function strict(given: unknown): unknown {
  if (Array.isArray(given)) return given.map(strict);
  if (typeof given !== 'object' || given === null) return given;
  const { nullable, example: _, ...rest } = given as Record<string, unknown>;
  const schema = Object.fromEntries(
    Object.entries(rest).map(([key, value]) => [key, key === 'properties' ? eachStrict(value) : strict(value)]),
  );
  if (typeof schema.$ref === 'string') schema.$ref = schema.$ref.replace('#/components/schemas/', '#/$defs/');
  if (schema.type === 'object' && schema.properties !== undefined) schema.additionalProperties ??= false;
  return nullable === true ? { anyOf: [{ type: 'null' }, schema] } : schema;
}

/** Of schemas by name, whatever the names are. */
const eachStrict = (schemas: unknown): Schema =>
  Object.fromEntries(Object.entries(schemas as Schema).map(([name, schema]) => [name, strict(schema)]));
