import { Controller, Get, Headers, Inject, Param, Query, Res } from '@nestjs/common';
import { ApiHeader, ApiOkResponse, ApiOperation, ApiProduces, ApiQuery, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { ProblemDto } from '../problems/problem.dto.js';
import { notFound, unavailable } from '../problems/problem.js';
import { AlertDto, AlertPageDto } from './alert.dto.js';
import { parseLiveQuery, parsePageQuery, writeCursor } from './alert-query.js';
import { AlertView } from './alert-view.js';
import { LiveStreams } from './live-stream.js';

const time = 'ISO 8601, or milliseconds since 1970 (event time)';

/** The filters that a list and a live stream share. */
function ApiAlertFilters(): MethodDecorator {
  const filters = [
    ApiQuery({ name: 'key', required: false, type: String, description: 'For example an account' }),
    ApiQuery({ name: 'pattern', required: false, type: String, description: 'Id of a pattern' }),
    ApiQuery({ name: 'severity', required: false, enum: ['low', 'medium', 'high', 'critical'] }),
    ApiQuery({ name: 'from', required: false, type: String, description: `Not before: ${time}` }),
    ApiQuery({ name: 'to', required: false, type: String, description: `Before: ${time}` }),
  ];
  return (target, name, descriptor) => {
    for (const decorate of filters) decorate(target, name, descriptor);
  };
}

@ApiTags('alerts')
@Controller('alerts')
export class AlertsController {
  constructor(
    @Inject(AlertView) private readonly view: AlertView,
    @Inject(LiveStreams) private readonly streams: LiveStreams,
  ) {}

  @Get()
  @ApiOperation({
    summary: 'The latest alerts, newest first',
    description: 'Of the latest 10,000 of the alerts topic.',
  })
  @ApiAlertFilters()
  @ApiQuery({ name: 'limit', required: false, type: Number, description: '1 to 1000; 100 when absent' })
  @ApiQuery({ name: 'cursor', required: false, type: String, description: '`next` of the page before' })
  @ApiOkResponse({ type: AlertPageDto })
  @ApiResponse({ status: 400, type: ProblemDto })
  list(@Query() query: unknown): AlertPageDto {
    const { alerts, next } = this.view.page(parsePageQuery(query));
    return { alerts, next: next === null ? null : writeCursor(next) };
  }

  @Get('live')
  @ApiOperation({
    summary: 'Alerts as they come, as server-sent events',
    description:
      'Each event is called `alert`, its data is an alert as JSON. A comment comes every 15 seconds. With the id of the last event in `Last-Event-ID`, as browsers send it by themselves, the stream goes on behind it.',
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
  ): void {
    const filter = parseLiveQuery(query);
    if (this.streams.isFull) throw unavailable('TOO_MANY_STREAMS', 'Too many live streams are open.');
    reply.hijack();
    this.streams.serve(reply.raw, filter, lastEventId);
  }

  @Get(':id')
  @ApiOperation({ summary: 'One alert' })
  @ApiOkResponse({ type: AlertDto })
  @ApiResponse({ status: 404, type: ProblemDto })
  one(@Param('id') id: string): AlertDto {
    const alert = this.view.get(id);
    if (alert === undefined) throw notFound('No alert with this id is among the latest ones.');
    return alert;
  }
}
