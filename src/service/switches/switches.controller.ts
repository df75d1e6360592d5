import { Body, Controller, Get, HttpCode, Inject, Param, Post } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { Settings, StreamSettings } from '../../runtime/settings/index.js';
import type { AlertSinkFollower } from '../../runtime/sinks/alert-sink-follower.js';
import { ProblemDto } from '../problems/problem.dto.js';
import { invalidInput, notFound } from '../problems/problem.js';
import { SETTINGS, SINKS, SWITCHES } from '../tokens.js';
import type { SwitchControl, Switched } from './switch-control.js';
import { SinkStatesDto, StreamDto, StreamsDto, SwitchDto, SwitchedByDto } from './switches.dto.js';

/** Streams and sinks that are paused and resumed while the service runs. */
@Controller()
export class SwitchesController {
  constructor(
    @Inject(SWITCHES) private readonly switches: SwitchControl | null,
    @Inject(SETTINGS) private readonly settings: Settings,
    @Inject(SINKS) private readonly sinks: readonly AlertSinkFollower[],
  ) {}

  @Get('streams')
  @ApiTags('streams')
  @ApiOperation({ summary: 'The streams that the service reads' })
  @ApiOkResponse({ type: StreamsDto })
  streams(): StreamsDto {
    const read = Object.values(this.settings.streams).filter((stream) => stream.topics !== undefined);
    return { streams: read.map((stream) => this.streamOf(stream)) };
  }

  @Get('sinks')
  @ApiTags('sinks')
  @ApiOperation({ summary: 'Where alerts are written to' })
  @ApiOkResponse({ type: SinkStatesDto })
  sinkStates(): SinkStatesDto {
    return {
      sinks: this.sinks.map((sink) => {
        const { name, state } = sink.status();
        return { name, state, ...this.switchOf('sink', name) };
      }),
    };
  }

  @Post('streams/:name/pause')
  @HttpCode(200)
  @ApiTags('streams')
  @ApiOperation({ summary: 'Has all processes read no more of a stream, after restarts too; rules that join it wait' })
  @ApiOkResponse({ type: SwitchDto })
  @ApiResponse({ status: 404, type: ProblemDto })
  pauseStream(@Param('name') name: string, @Body() body: SwitchedByDto): Promise<SwitchDto> {
    return this.set('stream', name, true, body);
  }

  @Post('streams/:name/resume')
  @HttpCode(200)
  @ApiTags('streams')
  @ApiOperation({ summary: 'Has a stream read on from where it was paused' })
  @ApiOkResponse({ type: SwitchDto })
  @ApiResponse({ status: 404, type: ProblemDto })
  resumeStream(@Param('name') name: string, @Body() body: SwitchedByDto): Promise<SwitchDto> {
    return this.set('stream', name, false, body);
  }

  @Post('sinks/:name/pause')
  @HttpCode(200)
  @ApiTags('sinks')
  @ApiOperation({ summary: 'Has all processes write no more alerts to a sink, after restarts too' })
  @ApiOkResponse({ type: SwitchDto })
  @ApiResponse({ status: 404, type: ProblemDto })
  pauseSink(@Param('name') name: string, @Body() body: SwitchedByDto): Promise<SwitchDto> {
    return this.set('sink', name, true, body);
  }

  @Post('sinks/:name/resume')
  @HttpCode(200)
  @ApiTags('sinks')
  @ApiOperation({ summary: 'Has the alerts since the pause written, and those to come' })
  @ApiOkResponse({ type: SwitchDto })
  @ApiResponse({ status: 404, type: ProblemDto })
  resumeSink(@Param('name') name: string, @Body() body: SwitchedByDto): Promise<SwitchDto> {
    return this.set('sink', name, false, body);
  }

  private set(what: Switched, name: string, paused: boolean, body: SwitchedByDto | undefined): Promise<SwitchDto> {
    if (this.switches === null) throw notFound('Nothing can be paused while this process runs.');
    if (!this.switches.knows(what, name)) throw notFound(`There is no ${what} ${name}.`);
    const { author, message = '' } = body ?? {};
    if (typeof author !== 'string' || author.trim() === '')
      throw invalidInput('Who asks for it?', [{ path: 'author', message: 'a name' }]);
    return this.switches.set(what, name, paused, { author: author.trim(), message: String(message) });
  }

  private streamOf({ name, topics, format, key }: StreamSettings): StreamDto {
    const read = topics === undefined ? [] : 'names' in topics ? topics.names : [String(topics.pattern)];
    return { name, topics: read, format, key: key ?? null, ...this.switchOf('stream', name) };
  }

  private switchOf(what: Switched, name: string) {
    const changed = this.switches?.get(what, name) ?? null;
    return { paused: changed?.paused ?? false, changed };
  }
}
