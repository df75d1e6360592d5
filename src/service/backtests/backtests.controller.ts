import { Body, Controller, Delete, Get, HttpCode, Inject, Param, Post, Query, Res } from '@nestjs/common';
import { ApiAcceptedResponse, ApiOkResponse, ApiOperation, ApiProduces, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { Allow } from '../access/allow.js';
import { PersonalMask } from '../access/personal-mask.js';
import { Caller, type Principal } from '../access/principal.js';
import { ApiPage, pageOf, readPageQuery } from '../paging/page.js';
import { ProblemDto } from '../problems/problem.dto.js';
import { invalidInput, notFound, Problem, problemBody, unavailable } from '../problems/problem.js';
import { refusedRules } from '../rules/refused-rules.js';
import type { RuleControl } from '../rules/rule-control.js';
import { BACKTESTS, RULES } from '../tokens.js';
import { BacktestJobDto, BacktestPageDto, BacktestRequestDto, type RuleChoiceDto } from './backtest.dto.js';
import type { BacktestJob, RuleChoice } from './backtest-job.js';
import type { BacktestJobs } from './backtest-jobs.js';
import { readRequest } from './read-request.js';

@ApiTags('backtests')
@Controller('v1/backtests')
@Allow('viewer')
export class BacktestsController {
  constructor(
    @Inject(BACKTESTS) private readonly backtests: BacktestJobs | null,
    @Inject(RULES) private readonly rules: RuleControl | null,
    @Inject(PersonalMask) private readonly mask: PersonalMask,
  ) {}

  @Post()
  @Allow('analyst')
  @HttpCode(202)
  @ApiOperation({ summary: 'Asks for a back-test: rules over history, in a process of its own' })
  @ApiAcceptedResponse({ type: BacktestJobDto })
  @ApiResponse({ status: 400, type: ProblemDto })
  @ApiResponse({ status: 422, type: ProblemDto, description: 'The rules do not hold.' })
  @ApiResponse({ status: 503, type: ProblemDto, description: 'Too many wait already.' })
  async create(@Body() body: BacktestRequestDto): Promise<BacktestJobDto> {
    const jobs = this.jobs();
    if (this.rules === null) throw notFound('This process has no rules to test.');
    const { request, title } = readRequest(body ?? {}, this.rules);
    const checked = {
      ...request,
      rules: await this.checked(request.rules, body?.rules, 'rules'),
      ...(request.baseline && { baseline: await this.checked(request.baseline, body?.baseline, 'baseline') }),
    };
    const job = await jobs.add(checked, title);
    if (job === null)
      throw unavailable('QUEUE_FULL', 'Too many back-tests wait already: try again later, or cancel one.');
    return job;
  }

  @Get()
  @ApiOperation({ summary: 'The back-tests that wait, run, and have ended lately; the newest first' })
  @ApiPage()
  @ApiOkResponse({ type: BacktestPageDto })
  list(@Query() query: unknown): BacktestPageDto {
    return pageOf(this.jobs().list(), readPageQuery(query), ({ id }) => id);
  }

  @Get(':id')
  @ApiOperation({ summary: 'How far a back-test is' })
  @ApiOkResponse({ type: BacktestJobDto })
  @ApiResponse({ status: 404, type: ProblemDto })
  one(@Param('id') id: string): BacktestJobDto {
    return this.job(id);
  }

  @Get(':id/events')
  @ApiOperation({
    summary: 'How far it is, as server-sent events called `job`, until it has ended',
    description: 'The data of each event is the job as JSON.',
  })
  @ApiProduces('text/event-stream')
  @ApiOkResponse({ schema: { type: 'string' } })
  @ApiResponse({ status: 404, type: ProblemDto })
  events(@Param('id') id: string, @Res() reply: FastifyReply): void {
    this.job(id);
    reply.hijack();
    const { raw } = reply;
    raw.writeHead(200, {
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store',
      'x-accel-buffering': 'no',
    });
    let unwatch = (): void => undefined;
    let ended = false;
    const end = (): void => {
      ended = true;
      unwatch();
      raw.end();
    };
    raw.on('close', end);
    unwatch = this.jobs().watch(id, (job) => {
      if (ended) return;
      if (job === null) return end();
      raw.write(`event: job\ndata: ${JSON.stringify(job)}\n\n`);
      if (job.endedAt !== null) end();
    });
    if (ended) unwatch();
  }

  @Get(':id/result')
  @Allow('analyst')
  @ApiOperation({ summary: 'All figures, as `stakeout backtest --json` gives them' })
  @ApiOkResponse({ schema: { type: 'object' } })
  @ApiResponse({ status: 404, type: ProblemDto })
  @ApiResponse({ status: 409, type: ProblemDto, description: 'It has not ended yet, or has failed.' })
  async result(@Param('id') id: string, @Res() reply: FastifyReply, @Caller() caller: Principal): Promise<void> {
    this.mask.refuse(caller);
    await this.file(id, 'result.json', 'application/json; charset=utf-8', reply);
  }

  @Get(':id/report')
  @Allow('analyst')
  @ApiOperation({ summary: 'The report: one HTML file that needs no network' })
  @ApiProduces('text/html')
  @ApiOkResponse({ schema: { type: 'string' } })
  @ApiResponse({ status: 404, type: ProblemDto })
  @ApiResponse({ status: 409, type: ProblemDto, description: 'It has not ended yet, or has failed.' })
  async report(@Param('id') id: string, @Res() reply: FastifyReply, @Caller() caller: Principal): Promise<void> {
    this.mask.refuse(caller);
    await this.file(id, 'report.html', 'text/html; charset=utf-8', reply);
  }

  @Delete(':id')
  @Allow('analyst')
  @HttpCode(200)
  @ApiOperation({ summary: 'Cancels a back-test that has not ended; removes one that has' })
  @ApiOkResponse({ type: BacktestJobDto })
  @ApiResponse({ status: 404, type: ProblemDto })
  async remove(@Param('id') id: string): Promise<BacktestJobDto> {
    this.job(id);
    return (await this.jobs().remove(id))!;
  }

  /** Rules that are sent along run as drafts too. */
  private async checked(choice: RuleChoice, asked: RuleChoiceDto | undefined, path: string): Promise<RuleChoice> {
    const { rules, errors } = await this.rules!.look(choice.files);
    if (errors.length > 0) throw refusedRules(errors);
    const unknown = choice.ids?.find((id) => !rules.some((rule) => rule.id === id));
    if (unknown !== undefined)
      throw invalidInput('The back-test cannot be run as it was asked for.', [
        { path: `${path}.ids`, message: `there is no rule ${unknown} among them` },
      ]);
    if (choice.ids !== undefined || asked?.files === undefined) return choice;
    return { ...choice, ids: rules.filter(({ status }) => status !== 'retired').map(({ id }) => id) };
  }

  private async file(
    id: string,
    name: 'result.json' | 'report.html',
    type: string,
    reply: FastifyReply,
  ): Promise<void> {
    const { state, error } = this.job(id);
    const text = state === 'done' ? await this.jobs().read(id, name) : null;
    if (text === null) {
      const why = error === null ? '' : `: ${error}`;
      throw new Problem(problemBody(409, 'NO_RESULT', `This back-test has no result, it is ${state}${why}.`));
    }
    await reply.type(type).send(text);
  }

  private job(id: string): BacktestJob {
    const job = this.jobs().get(id);
    if (job === undefined) throw notFound('There is no back-test of this id.');
    return job;
  }

  private jobs(): BacktestJobs {
    if (this.backtests === null) throw notFound('This process runs no back-tests.');
    return this.backtests;
  }
}
