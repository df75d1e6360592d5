import { Body, Controller, Get, Headers, HttpCode, Inject, Param, Post, Query, Res } from '@nestjs/common';
import { ApiHeader, ApiOkResponse, ApiOperation, ApiProduces, ApiQuery, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { ALERT_STATES, type AlertFilter, type StoredAlert, VERDICTS } from '../../runtime/ports/alert-store.js';
import { Allow } from '../access/allow.js';
import { KeyNames } from '../access/key-names.js';
import { PersonalMask } from '../access/personal-mask.js';
import { Caller, type Principal } from '../access/principal.js';
import { ApiPage } from '../paging/page.js';
import { checkBody } from '../problems/check-body.js';
import { ProblemDto } from '../problems/problem.dto.js';
import { unavailable } from '../problems/problem.js';
import {
  AlertDetailDto,
  AlertGroupPageDto,
  AlertPageDto,
  FeedbackDto,
  NewFeedbackDto,
  type StoredAlertDto,
} from './alert.dto.js';
import { AlertDesk } from './alert-desk.js';
import { parseLiveQuery, parsePageQuery } from './alert-query.js';
import { LiveStreams } from './live-stream.js';

const time = 'ISO 8601, or milliseconds since 1970 (event time)';

/** The filters that a list and a live stream share. */
function ApiAlertFilters(): MethodDecorator {
  const filters = [
    ApiQuery({ name: 'key', required: false, type: String, description: 'For example an account' }),
    ApiQuery({ name: 'pattern', required: false, type: String, description: 'Id of a pattern' }),
    ApiQuery({ name: 'severity', required: false, enum: ['low', 'medium', 'high', 'critical'] }),
    ApiQuery({ name: 'state', required: false, enum: ALERT_STATES }),
    ApiQuery({
      name: 'q',
      required: false,
      type: String,
      description: 'Text in the title, the message, the key or an id, whatever its case',
    }),
    ApiQuery({ name: 'from', required: false, type: String, description: `Not before: ${time}` }),
    ApiQuery({ name: 'to', required: false, type: String, description: `Before: ${time}` }),
  ];
  return (target, name, descriptor) => {
    for (const decorate of filters) decorate(target, name, descriptor);
  };
}

const newFeedback = z.strictObject({
  // A program may send the verdict as JSON's own true or false.
  verdict: z.preprocess((given) => (typeof given === 'boolean' ? String(given) : given), z.enum(VERDICTS)),
  note: z.string().max(10_000).default(''),
  author: z.string().max(200).optional(),
});

@ApiTags('alerts')
@Controller('v1/alerts')
@Allow('viewer')
export class AlertsController {
  constructor(
    @Inject(AlertDesk) private readonly desk: AlertDesk,
    @Inject(LiveStreams) private readonly streams: LiveStreams,
    @Inject(PersonalMask) private readonly mask: PersonalMask,
    @Inject(KeyNames) private readonly keys: KeyNames,
  ) {}

  @Get()
  @ApiOperation({ summary: 'Alerts, newest first' })
  @ApiAlertFilters()
  @ApiPage()
  @ApiOkResponse({ type: AlertPageDto })
  @ApiResponse({ status: 400, type: ProblemDto })
  @ApiResponse({ status: 503, type: ProblemDto, description: 'The store of alerts is away.' })
  async list(@Query() query: unknown, @Caller() caller: Principal): Promise<AlertPageDto> {
    const { items, nextCursor } = await this.desk.list(this.allowed(parsePageQuery(query), caller));
    return { items: items.map((stored) => this.shown(stored, caller)), nextCursor };
  }

  @Get('groups')
  @ApiOperation({
    summary: 'Repeats: alerts of one key and pattern together',
    description: 'Of the newest 10,000 alerts that fit the filters.',
  })
  @ApiAlertFilters()
  @ApiPage()
  @ApiOkResponse({ type: AlertGroupPageDto })
  @ApiResponse({ status: 400, type: ProblemDto })
  async groups(@Query() query: unknown, @Caller() caller: Principal): Promise<AlertGroupPageDto> {
    const { items, nextCursor } = await this.desk.groups(this.allowed(parsePageQuery(query), caller));
    const shown = items.map((group) => {
      const last = this.shown(group.last, caller);
      return { ...group, key: last.key, last };
    });
    return { items: shown, nextCursor };
  }

  @Get('live')
  @ApiOperation({
    summary: 'Alerts as they come, as server-sent events',
    description:
      'Each event is called `alert`, its data is an alert as JSON. A comment comes every 15 seconds. With the id of the last event in `Last-Event-ID`, as browsers send it by themselves, the stream goes on behind it, within the latest 10,000 alerts.',
  })
  @ApiAlertFilters()
  @ApiHeader({ name: 'Last-Event-ID', required: false })
  @ApiProduces('text/event-stream')
  @ApiOkResponse({ schema: { type: 'string' } })
  @ApiResponse({ status: 400, type: ProblemDto })
  @ApiResponse({ status: 503, type: ProblemDto, description: 'Too many streams are open.' })
  live(
    @Query() query: unknown,
    @Headers('last-event-id') lastEventId: string | undefined,
    @Res() reply: FastifyReply,
    @Caller() caller: Principal,
  ): void {
    const { filter } = this.allowed({ filter: parseLiveQuery(query) }, caller);
    if (this.streams.isFull) throw unavailable('TOO_MANY_STREAMS', 'Too many live streams are open.');
    reply.hijack();
    this.streams.serve(reply.raw, filter, lastEventId, caller);
  }

  @Get(':id')
  @ApiOperation({ summary: 'One alert, with what people said of it and other alerts of its key' })
  @ApiOkResponse({ type: AlertDetailDto })
  @ApiResponse({ status: 404, type: ProblemDto })
  async one(@Param('id') id: string, @Caller() caller: Principal): Promise<AlertDetailDto> {
    const { feedback, related, ...stored } = await this.desk.one(id);
    const others = related.map((other) => this.shown(other, caller));
    return { ...this.shown(stored, caller), feedback, related: others };
  }

  @Post(':id/feedback')
  @Allow('analyst')
  @HttpCode(201)
  @ApiOperation({ summary: 'Says whether an alert was right; the latest word counts' })
  @ApiResponse({ status: 201, type: FeedbackDto })
  @ApiResponse({ status: 400, type: ProblemDto })
  @ApiResponse({ status: 404, type: ProblemDto })
  judge(@Param('id') id: string, @Body() body: NewFeedbackDto, @Caller() caller: Principal): Promise<FeedbackDto> {
    const { verdict, note, author } = checkBody(newFeedback, body);
    return this.desk.judge(id, verdict, note, caller.signs(author));
  }

  private shown({ alert, state }: StoredAlert, caller: Principal): StoredAlertDto {
    return { ...this.mask.of(alert, caller), state };
  }

  /** Who may not see personal fields must not find out by asking for them. */
  private allowed<Q extends { readonly filter: AlertFilter }>(query: Q, caller: Principal): Q {
    if (query.filter.q !== undefined) this.mask.refuse(caller);
    return { ...query, filter: this.keys.widened(query.filter, caller) };
  }
}
