import { Body, Controller, Get, HttpCode, Inject, Param, Post, Query } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { fillTemplate, schemaOfParameters } from '../../rules/index.js';
import type { Settings } from '../../runtime/settings/index.js';
import { Allow } from '../access/allow.js';
import { Caller, type Principal } from '../access/principal.js';
import type { RuleReading } from '../outline/rule-reading.js';
import { ApiPage, pageOf, readPageQuery } from '../paging/page.js';
import { checkBody } from '../problems/check-body.js';
import { ProblemDto } from '../problems/problem.dto.js';
import { invalidInput, notFound, Problem, problemBody } from '../problems/problem.js';
import { withRule } from '../rules/edit-rule.js';
import type { RuleControl } from '../rules/rule-control.js';
import { answered, signatureOf } from '../rules/signed.js';
import { RULE_READING, RULES, SETTINGS } from '../tokens.js';
import { FilledDto, FillTemplateDto, TemplateDetailDto, TemplateDto, TemplatePageDto } from './template.dto.js';
import { type ShelvedTemplate, templatesIn } from './template-shelf.js';

const filling = z.strictObject({
  id: z.string().min(1),
  title: z.string().min(1).optional(),
  values: z.record(z.string(), z.unknown()).default({}),
  status: z.enum(['draft', 'shadow', 'live']).default('draft'),
  dryRun: z.boolean().default(false),
  replace: z.boolean().default(false),
  author: z.string().optional(),
  message: z.string().optional(),
});

@ApiTags('templates')
@Controller('v1/templates')
@Allow('viewer')
export class TemplatesController {
  constructor(
    @Inject(SETTINGS) private readonly settings: Settings,
    @Inject(RULES) private readonly rules: RuleControl | null,
    @Inject(RULE_READING) private readonly reading: RuleReading | null,
  ) {}

  @Get()
  @ApiOperation({ summary: 'The templates that rules are made from' })
  @ApiPage()
  @ApiOkResponse({ type: TemplatePageDto })
  async list(@Query() query: unknown): Promise<TemplatePageDto> {
    const { items, nextCursor } = pageOf(await this.all(), readPageQuery(query), ({ id }) => id);
    return { items: items.map(described), nextCursor };
  }

  @Get(':id')
  @ApiOperation({ summary: 'One template, with a JSON Schema of the values that it takes' })
  @ApiOkResponse({ type: TemplateDetailDto })
  @ApiResponse({ status: 404, type: ProblemDto })
  async one(@Param('id') id: string): Promise<TemplateDetailDto> {
    const template = await this.template(id);
    return { ...described(template), schema: schemaOfParameters(template, this.fields()), yaml: template.text };
  }

  @Post(':id/rules')
  @Allow('author')
  @HttpCode(200)
  @ApiOperation({ summary: 'Makes a rule of a template, and puts it into the set in force' })
  @ApiOkResponse({ type: FilledDto })
  @ApiResponse({ status: 404, type: ProblemDto })
  @ApiResponse({ status: 409, type: ProblemDto, description: 'There is a rule of this id.' })
  @ApiResponse({ status: 422, type: ProblemDto, description: 'Values, or the rule that comes of them, do not hold.' })
  async fill(@Param('id') of: string, @Body() body: FillTemplateDto, @Caller() caller: Principal): Promise<FilledDto> {
    const { id, title, values, status, dryRun, replace } = checkBody(filling, body);
    const template = await this.template(of);
    const filled = fillTemplate(template, { id, status, values, ...(title === undefined ? {} : { title }) });
    if ('problems' in filled) throw invalidInput('The template cannot be filled so.', filled.problems, 422);
    const control = this.control();
    if (!replace && control.rules.some((rule) => rule.id === id)) throw taken(id);
    const yaml = filled.text;
    const by = signatureOf(caller, body);
    const message = by.message === '' ? `from the template ${of}` : by.message;
    const applied = await answered(() => control.apply(withRule(control, id, yaml), { ...by, message }, dryRun));
    return { ...applied, id, yaml };
  }

  /** Of the streams, for parameters that are the name of a field. */
  private fields(): readonly string[] | null {
    const schemas = this.reading?.streams.map(({ schema }) => schema) ?? [];
    if (schemas.length === 0 || schemas.includes(null)) return null;
    return [...new Set(schemas.flatMap((schema) => [...schema!.fields.keys()]))].sort();
  }

  private all(): Promise<readonly ShelvedTemplate[]> {
    return templatesIn(this.settings.templates, this.rules?.files ?? []);
  }

  private async template(id: string): Promise<ShelvedTemplate> {
    const found = (await this.all()).find((template) => template.id === id);
    if (found === undefined) throw notFound('There is no template with this id.');
    return found;
  }

  private control(): RuleControl {
    if (this.rules === null) throw notFound('Rules cannot be changed while this process runs.');
    return this.rules;
  }
}

const described = ({ id, title, description, source, parameters }: ShelvedTemplate): TemplateDto => {
  return { id, title, description, source, parameters };
};

function taken(id: string): Problem {
  const detail = `There is a rule ${id} already: give another id, or send "replace": true.`;
  return new Problem(problemBody(409, 'RULE_EXISTS', detail));
}
