import { Body, Controller, Delete, Get, HttpCode, Inject, Param, Post, Put, Query } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiQuery, ApiResponse, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import type { Rule } from '../../rules/index.js';
import { Allow } from '../access/allow.js';
import { PersonalMask } from '../access/personal-mask.js';
import { Caller, type Principal } from '../access/principal.js';
import { AlertDesk } from '../alerts/alert-desk.js';
import { StakeoutStrategy } from '../detection/index.js';
import { Metrics } from '../metrics/metrics.js';
import { ApiPage, checkQuery, pageOf, readPageQuery } from '../paging/page.js';
import { checkBody, momentText } from '../problems/check-body.js';
import { ProblemDto } from '../problems/problem.dto.js';
import { invalidInput, notFound, Problem, problemBody } from '../problems/problem.js';
import { withLift, withoutRule, withRule, withStatus } from '../rules/edit-rule.js';
import { quarantinedOf } from '../rules/quarantined.js';
import { entriesOf, versionOf } from '../rules/revision-view.js';
import { RevisionPageDto } from '../rules/revisions.dto.js';
import type { RuleControl } from '../rules/rule-control.js';
import { AppliedDto, SignatureDto } from '../rules/rules.dto.js';
import { answered, signatureOf } from '../rules/signed.js';
import { RULES } from '../tokens.js';
import { describePattern } from './describe-pattern.js';
import {
  LiftDto,
  NewPatternDto,
  NewStatusDto,
  PatternDetailDto,
  PatternPageDto,
  PatternVersionDto,
  ShadowDto,
} from './pattern.dto.js';

const signed = { author: z.string().optional(), message: z.string().optional() };
const newPattern = z.strictObject({
  yaml: z.string().min(1),
  tests: z.string().optional(),
  dryRun: z.boolean().default(false),
  ...signed,
});
const newStatus = z.strictObject({
  status: z.enum(['draft', 'shadow', 'live', 'retired']),
  canary: z.int().min(1).max(99).nullable().default(null),
  dryRun: z.boolean().default(false),
  ...signed,
});
const newLift = z.strictObject({ anyway: z.boolean().default(false), dryRun: z.boolean().default(false), ...signed });
const shadowQuery = z.strictObject({
  against: z.string().min(1).optional(),
  from: momentText.optional(),
  to: momentText.optional(),
});

@ApiTags('patterns')
@Controller('v1/patterns')
@Allow('viewer')
export class PatternsController {
  constructor(
    @Inject(StakeoutStrategy) private readonly strategy: StakeoutStrategy,
    @Inject(RULES) private readonly rules: RuleControl | null,
    @Inject(AlertDesk) private readonly desk: AlertDesk,
    @Inject(PersonalMask) private readonly mask: PersonalMask,
    @Inject(Metrics) private readonly metrics: Metrics,
  ) {}

  @Get()
  @ApiOperation({ summary: 'The patterns of the set in force, with their health' })
  @ApiPage()
  @ApiOkResponse({ type: PatternPageDto })
  list(@Query() query: unknown, @Caller() caller: Principal): PatternPageDto {
    const status = this.mask.ofStatus(this.strategy.detectorStatus(), caller);
    const { items, nextCursor } = pageOf(this.all(), readPageQuery(query), ({ id }) => id);
    return { items: items.map((rule) => describePattern(rule, status, this.latencyOf(rule))), nextCursor };
  }

  @Get(':id')
  @ApiOperation({ summary: 'One pattern, as it was written, and its health' })
  @ApiOkResponse({ type: PatternDetailDto })
  @ApiResponse({ status: 404, type: ProblemDto })
  one(@Param('id') id: string, @Caller() caller: Principal): PatternDetailDto {
    const rule = this.rule(id);
    const yaml = this.rules?.files.find(({ file }) => file === rule.source)?.text ?? null;
    const status = this.mask.ofStatus(this.strategy.detectorStatus(), caller);
    return { ...describePattern(rule, status, this.latencyOf(rule)), yaml, file: rule.source };
  }

  @Get(':id/revisions')
  @ApiOperation({ summary: 'What was published that changed this pattern; the newest first' })
  @ApiPage()
  @ApiOkResponse({ type: RevisionPageDto })
  revisions(@Param('id') id: string, @Query() query: unknown): RevisionPageDto {
    const entries = entriesOf(this.control()).filter(({ changes }) => changes.some((change) => change.id === id));
    return pageOf(entries.toReversed(), readPageQuery(query), ({ hash }) => hash);
  }

  @Get(':id/versions/:revision')
  @ApiOperation({
    summary: 'A pattern as it was written in a revision of its own, as alerts name it',
    description: 'Of what was published, and what ran before; read against the streams of now.',
  })
  @ApiOkResponse({ type: PatternVersionDto })
  @ApiResponse({ status: 404, type: ProblemDto, description: 'The history has no such revision.' })
  async version(@Param('id') id: string, @Param('revision') revision: string): Promise<PatternVersionDto> {
    const found = await versionOf(this.control(), id, revision);
    if (found === null) throw notFound('The history has no such revision of this pattern.');
    return { id, revision, ...found };
  }

  @Put(':id')
  @Allow('author')
  @ApiOperation({ summary: 'Puts one rule into the set in force, or in the place of the one of its id' })
  @ApiOkResponse({ type: AppliedDto })
  @ApiResponse({ status: 409, type: ProblemDto })
  @ApiResponse({ status: 422, type: ProblemDto })
  async put(@Param('id') id: string, @Body() body: NewPatternDto, @Caller() caller: Principal): Promise<AppliedDto> {
    const { yaml, tests, dryRun } = checkBody(newPattern, body);
    const control = this.control();
    await this.checkId(id, yaml);
    return answered(() => control.apply(withRule(control, id, yaml, tests), signatureOf(caller, body), dryRun));
  }

  @Delete(':id')
  @Allow('author')
  @ApiOperation({ summary: 'Takes one rule out of the set in force' })
  @ApiOkResponse({ type: AppliedDto })
  @ApiResponse({ status: 404, type: ProblemDto })
  @ApiResponse({ status: 422, type: ProblemDto, description: 'No other rule runs.' })
  remove(@Param('id') id: string, @Body() body: SignatureDto, @Caller() caller: Principal): Promise<AppliedDto> {
    const control = this.control();
    this.rule(id);
    return answered(() => control.apply(withoutRule(control, id), signatureOf(caller, body)));
  }

  @Post(':id/status')
  @Allow('author')
  @HttpCode(200)
  @ApiOperation({
    summary: 'Has a pattern be a draft, in shadow, live for some of the keys (canary) or all, or retired',
  })
  @ApiOkResponse({ type: AppliedDto })
  @ApiResponse({ status: 404, type: ProblemDto })
  @ApiResponse({ status: 422, type: ProblemDto })
  status(@Param('id') id: string, @Body() body: NewStatusDto, @Caller() caller: Principal): Promise<AppliedDto> {
    const { status, canary, dryRun } = checkBody(newStatus, body);
    if (canary !== null && status !== 'live')
      throw invalidInput('The body does not hold.', [{ path: 'canary', message: 'goes with status live alone' }]);
    const control = this.control();
    const { source } = this.rule(id);
    const text = control.files.find(({ file }) => file === source)!.text;
    const files = withRule(control, id, withStatus(text, status, canary));
    return answered(() => control.apply(files, signatureOf(caller, body), dryRun));
  }

  @Post(':id/quarantine/lift')
  @HttpCode(200)
  @Allow('author')
  @ApiOperation({
    summary: 'Has a pattern run again where it was stopped, with nothing under way: publishes a revision of it',
  })
  @ApiOkResponse({ type: AppliedDto })
  @ApiResponse({ status: 404, type: ProblemDto })
  @ApiResponse({ status: 409, type: ProblemDto, description: 'It is stopped nowhere in this process.' })
  lift(@Param('id') id: string, @Body() body: LiftDto, @Caller() caller: Principal): Promise<AppliedDto> {
    const { anyway, dryRun } = checkBody(newLift, body);
    const control = this.control();
    const { source, lifted = 0 } = this.rule(id);
    if (!anyway && quarantinedOf(this.strategy.detectorStatus(), id).length === 0) throw notStopped(id);
    const text = control.files.find(({ file }) => file === source)!.text;
    const files = withRule(control, id, withLift(text, lifted + 1));
    const by = signatureOf(caller, body);
    const message = by.message === '' ? `${id} let out of quarantine` : by.message;
    return answered(() => control.apply(files, { ...by, message }, dryRun));
  }

  @Get(':id/shadow')
  @ApiOperation({
    summary: 'What a pattern finds in shadow, against what a live one finds',
    description: 'Of the alerts that are kept, by event time; without `from` of the last seven days.',
  })
  @ApiQuery({ name: 'against', required: false, type: String, description: 'Id of the live pattern; else the same' })
  @ApiQuery({ name: 'from', required: false, type: String, description: 'ISO 8601, or milliseconds since 1970' })
  @ApiQuery({ name: 'to', required: false, type: String })
  @ApiOkResponse({ type: ShadowDto })
  @ApiResponse({ status: 404, type: ProblemDto })
  shadow(@Param('id') id: string, @Query() query: unknown): Promise<ShadowDto> {
    const { against = id, ...range } = checkQuery(shadowQuery, query);
    this.rule(id);
    return this.desk.shadow(id, against, range);
  }

  /** Before the set is looked at: an id that is another's would look as if two rules had one. */
  private async checkId(id: string, yaml: string): Promise<void> {
    const { rules } = await this.control().look([{ file: `${id}/pattern.yaml`, text: yaml }]);
    const found = rules[0]?.id ?? id;
    if (found !== id)
      throw invalidInput(
        'The rule is not the one of the path.',
        [{ path: 'yaml', message: `its id is ${found}` }],
        422,
      );
  }

  private all(): readonly Rule[] {
    return this.rules?.rules ?? this.strategy.rules();
  }

  private latencyOf({ id }: Rule): number | null {
    return this.metrics.patternLatency.p99(id);
  }

  private rule(id: string): Rule {
    const rule = this.all().find((candidate) => candidate.id === id);
    if (rule === undefined) throw notFound('There is no pattern with this id.');
    return rule;
  }

  private control(): RuleControl {
    if (this.rules === null) throw notFound('Rules cannot be changed while this process runs.');
    return this.rules;
  }
}

function notStopped(id: string): Problem {
  const detail = `${id} is in quarantine in no partition of this process. Another process may have it there: ask that one, or send "anyway": true.`;
  return new Problem(problemBody(409, 'NOT_IN_QUARANTINE', detail));
}
