import { Body, Controller, Headers, HttpCode, Inject, Post } from '@nestjs/common';
import {
  ApiAcceptedResponse,
  ApiBody,
  ApiConsumes,
  ApiOperation,
  ApiProperty,
  ApiResponse,
  ApiTags,
} from '@nestjs/swagger';
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

@ApiTags('transactions')
@Controller('transactions')
export class TransactionsController {
  constructor(@Inject(TransactionWriter) private readonly writer: TransactionWriter) {}

  @Post()
  @HttpCode(202)
  @ApiOperation({
    summary: 'Send in one transaction or many',
    description:
      'One JSON object, a list of them, or NDJSON. All are written, or none. A W3C `traceparent` header goes with them, to the span of an alert. Answered once they are durable in the log.',
  })
  @ApiConsumes('application/json', 'application/x-ndjson')
  @ApiBody({ schema: { oneOf: [transaction, { type: 'array', items: transaction }] } })
  @ApiAcceptedResponse({ type: AcceptedDto })
  @ApiResponse({ status: 400, type: ProblemDto, description: 'Not JSON, or nothing.' })
  @ApiResponse({ status: 413, type: ProblemDto, description: 'Larger than `http.bodyLimit`.' })
  @ApiResponse({ status: 422, type: ProblemDto, description: 'Does not fit the schema: every error with its path.' })
  @ApiResponse({ status: 503, type: ProblemDto, description: 'The log does not answer. Send the same again later.' })
  async post(@Body() body: unknown, @Headers('traceparent') traceparent: string | undefined): Promise<AcceptedDto> {
    const isTraced = parseTraceparent(traceparent ?? null) !== null;
    const headers = isTraced ? new Map([['traceparent', Buffer.from(traceparent as string)]]) : undefined;
    const { topic, ids } = await this.writer.write(sentTransactions(body), headers);
    return { accepted: ids.length, topic, ids };
  }
}
