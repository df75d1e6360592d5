import { applyDecorators, Body, Controller, Headers, HttpCode, Inject, Param, Post } from '@nestjs/common';
import {
  ApiAcceptedResponse,
  ApiBody,
  ApiConsumes,
  ApiOperation,
  ApiParam,
  ApiProperty,
  ApiResponse,
  ApiTags,
} from '@nestjs/swagger';
import { Allow, NotAChange } from '../access/allow.js';
import { ProblemDto } from '../problems/problem.dto.js';
import { parseTraceparent } from '../tracing/traceparent.js';
import { sentTransactions } from './sent-transactions.js';
import { TransactionWriter } from './transaction-writer.js';

export class AcceptedDto {
  @ApiProperty({ type: Number })
  readonly accepted!: number;

  @ApiProperty({ type: String, example: 'transactions' })
  readonly topic!: string;

  @ApiProperty({
    type: [String],
    nullable: true,
    description: 'Ids, in the order sent; null where the stream has no id field.',
  })
  readonly ids!: readonly (string | null)[];
}

const example = {
  transactionId: 't-1',
  accountId: 'acc-1',
  eventTime: '2026-01-31T10:00:00Z',
  type: 'Payment',
  amount: 12_000,
  country: 'DE',
};
const transaction = {
  type: 'object' as const,
  description: "As the stream's Avro schema has it; times may be ISO 8601.",
  example,
};

const ApiSend = (summary: string) =>
  applyDecorators(
    HttpCode(202),
    ApiOperation({
      summary,
      description:
        'One JSON object, a list of them, or NDJSON. All are written, or none. A W3C `traceparent` header goes with them, to the span of an alert. Answered once they are durable in the log.',
    }),
    ApiConsumes('application/json', 'application/x-ndjson'),
    ApiBody({ schema: { oneOf: [transaction, { type: 'array', items: transaction }] } }),
    ApiAcceptedResponse({ type: AcceptedDto }),
    ApiResponse({ status: 400, type: ProblemDto, description: 'Not JSON, or nothing.' }),
    ApiResponse({ status: 413, type: ProblemDto, description: 'Larger than `http.bodyLimit`.' }),
    ApiResponse({ status: 422, type: ProblemDto, description: 'Does not fit the schema: every error with its path.' }),
    ApiResponse({ status: 503, type: ProblemDto, description: 'The log does not answer. Send the same again later.' }),
  );

@ApiTags('transactions')
@Controller('v1')
@Allow('operator')
export class TransactionsController {
  constructor(@Inject(TransactionWriter) private readonly writer: TransactionWriter) {}

  @Post('transactions')
  @NotAChange('data')
  @ApiSend('Send in one transaction or many, to the first stream of the settings')
  post(@Body() body: unknown, @Headers('traceparent') traceparent: string | undefined): Promise<AcceptedDto> {
    return this.send(body, traceparent);
  }

  @Post('streams/:stream/events')
  @NotAChange('data')
  @ApiSend('Send in one event or many, to a stream by its name')
  @ApiParam({ name: 'stream', description: 'Its name in the settings.', example: 'logins' })
  @ApiResponse({ status: 404, type: ProblemDto, description: 'There is no stream of this name.' })
  postTo(
    @Param('stream') stream: string,
    @Body() body: unknown,
    @Headers('traceparent') traceparent: string | undefined,
  ): Promise<AcceptedDto> {
    return this.send(body, traceparent, stream);
  }

  private async send(body: unknown, traceparent: string | undefined, stream?: string): Promise<AcceptedDto> {
    const isTraced = parseTraceparent(traceparent ?? null) !== null;
    const headers = isTraced ? new Map([['traceparent', Buffer.from(traceparent as string)]]) : undefined;
    const { topic, ids } = await this.writer.write(sentTransactions(body), headers, stream);
    return { accepted: ids.length, topic, ids };
  }
}
