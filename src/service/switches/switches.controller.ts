import { Body, Controller, Get, HttpCode, Inject, Param, Post, Query } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { Settings, StreamSettings } from '../../runtime/settings/index.js';
import type { AlertSinkFollower } from '../../runtime/sinks/alert-sink-follower.js';
import { Allow } from '../access/allow.js';
import { Caller, type Principal } from '../access/principal.js';
import type { TableFeeds } from '../feeds/table-feeds.js';
import { ApiPage, pageOf, readPageQuery } from '../paging/page.js';
import { ProblemDto } from '../problems/problem.dto.js';
import { notFound } from '../problems/problem.js';
import { signatureOf } from '../rules/signed.js';
import type { SourceControl } from '../sources/source-control.js';
import { FEEDS, SETTINGS, SINKS, SOURCES, SWITCHES } from '../tokens.js';
import type { SwitchControl, Switched } from './switch-control.js';
import { SinkPageDto, StreamDto, StreamPageDto, SwitchDto, SwitchedByDto } from './switches.dto.js';

/** Streams and sinks that are paused and resumed while the service runs. */
@Controller('v1')
@Allow('viewer')
export class SwitchesController {
  constructor(
    @Inject(SWITCHES) private readonly switches: SwitchControl | null,
    @Inject(SETTINGS) private readonly settings: Settings,
    @Inject(SINKS) private readonly sinks: readonly AlertSinkFollower[],
    @Inject(SOURCES) private readonly sources: SourceControl | null,
    @Inject(FEEDS) private readonly feeds: TableFeeds | null,
  ) {}

  @Get('streams')
  @ApiTags('streams')
  @ApiOperation({ summary: 'The streams that the service reads' })
  @ApiPage()
  @ApiOkResponse({ type: StreamPageDto })
  streams(@Query() query: unknown): StreamPageDto {
    const { streams } = this.sources?.settings ?? this.settings;
    const read = Object.values(streams).filter((stream) => stream.topics !== undefined);
    return pageOf(
      read.map((stream) => this.streamOf(stream)),
      readPageQuery(query),
      ({ name }) => name,
    );
  }

  @Get('sinks')
  @ApiTags('sinks')
  @ApiOperation({ summary: 'Where alerts are written to' })
  @ApiPage()
  @ApiOkResponse({ type: SinkPageDto })
  sinkStates(@Query() query: unknown): SinkPageDto {
    const states = this.sinks.map((sink) => {
      const { name, state } = sink.status();
      return { name, state, ...this.switchOf('sink', name) };
    });
    return pageOf(states, readPageQuery(query), ({ name }) => name);
  }

  @Post('streams/:name/pause')
  @Allow('operator')
  @HttpCode(200)
  @ApiTags('streams')
  @ApiOperation({ summary: 'Has all processes read no more of a stream, after restarts too; rules that join it wait' })
  @ApiOkResponse({ type: SwitchDto })
  @ApiResponse({ status: 404, type: ProblemDto })
  pauseStream(
    @Param('name') name: string,
    @Body() body: SwitchedByDto,
    @Caller() caller: Principal,
  ): Promise<SwitchDto> {
    return this.set('stream', name, true, body, caller);
  }

  @Post('streams/:name/resume')
  @Allow('operator')
  @HttpCode(200)
  @ApiTags('streams')
  @ApiOperation({ summary: 'Has a stream read on from where it was paused' })
  @ApiOkResponse({ type: SwitchDto })
  @ApiResponse({ status: 404, type: ProblemDto })
  resumeStream(
    @Param('name') name: string,
    @Body() body: SwitchedByDto,
    @Caller() caller: Principal,
  ): Promise<SwitchDto> {
    return this.set('stream', name, false, body, caller);
  }

  @Post('sinks/:name/pause')
  @Allow('operator')
  @HttpCode(200)
  @ApiTags('sinks')
  @ApiOperation({ summary: 'Has all processes write no more alerts to a sink, after restarts too' })
  @ApiOkResponse({ type: SwitchDto })
  @ApiResponse({ status: 404, type: ProblemDto })
  pauseSink(@Param('name') name: string, @Body() body: SwitchedByDto, @Caller() caller: Principal): Promise<SwitchDto> {
    return this.set('sink', name, true, body, caller);
  }

  @Post('sinks/:name/resume')
  @Allow('operator')
  @HttpCode(200)
  @ApiTags('sinks')
  @ApiOperation({ summary: 'Has the alerts since the pause written, and those to come' })
  @ApiOkResponse({ type: SwitchDto })
  @ApiResponse({ status: 404, type: ProblemDto })
  resumeSink(
    @Param('name') name: string,
    @Body() body: SwitchedByDto,
    @Caller() caller: Principal,
  ): Promise<SwitchDto> {
    return this.set('sink', name, false, body, caller);
  }

  private set(
    what: Switched,
    name: string,
    paused: boolean,
    body: SwitchedByDto | undefined,
    caller: Principal,
  ): Promise<SwitchDto> {
    if (this.switches === null) throw notFound('Nothing can be paused while this process runs.');
    if (!this.switches.knows(what, name)) throw notFound(`There is no ${what} ${name}.`);
    return this.switches.set(what, name, paused, signatureOf(caller, body));
  }

  private streamOf(stream: StreamSettings): StreamDto {
    const { name, topics, format, key } = stream;
    const table = this.feeds?.status(stream) ?? null;
    const read = topics === undefined ? [] : 'names' in topics ? topics.names : [String(topics.pattern)];
    return { name, topics: read, format, key: key ?? null, table, ...this.switchOf('stream', name) };
  }

  private switchOf(what: Switched, name: string) {
    const changed = this.switches?.get(what, name) ?? null;
    return { paused: changed?.paused ?? false, changed };
  }
}
