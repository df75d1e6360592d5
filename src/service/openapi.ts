import type { INestApplication } from '@nestjs/common';
import { DocumentBuilder, getSchemaPath, type OpenAPIObject, SwaggerModule } from '@nestjs/swagger';
import { CHANGES_NOTHING } from './access/allow.js';
import { KEY_MAX } from './idempotency/idempotency.interceptor.js';
import { ProblemDto } from './problems/problem.dto.js';
import { packageVersion } from './version.js';

type Operation = NonNullable<OpenAPIObject['paths'][string]['get']>;

/** OpenAPI at `/openapi.json`, and a page to try it at `/docs`. */
export function addOpenApi(app: INestApplication): void {
  const config = new DocumentBuilder()
    .setTitle('stakeout')
    .setDescription('Finds fraud in a stream of transactions while it happens. Failures are RFC 9457 problem details.')
    .setVersion(packageVersion())
    .addBearerAuth({ type: 'http', scheme: 'bearer', description: 'An API key, or a token of the OpenID provider.' })
    .addSecurityRequirements('bearer')
    .setLicense('Apache-2.0', 'https://www.apache.org/licenses/LICENSE-2.0')
    .build();
  const document = SwaggerModule.createDocument(app, config, { extraModels: [ProblemDto] });
  for (const path of Object.values(document.paths))
    for (const [method, operation] of Object.entries(path)) addWhatHoldsForAll(method, operation as Operation);
  SwaggerModule.setup('docs', app, document, { jsonDocumentUrl: 'openapi.json' });
}

/** What the controllers would say of each operation: every failure is a problem, and a POST is done once for its key. */
function addWhatHoldsForAll(method: string, operation: Operation): void {
  const problem = { schema: { $ref: getSchemaPath(ProblemDto) } };
  operation.responses.default ??= { description: 'It failed.', content: { 'application/json': problem } };
  for (const response of Object.values(operation.responses)) {
    if (response === undefined || !('content' in response)) continue;
    // Of an operation that answers with a stream or a file, problems are told to be of that type too.
    const isProblem = Object.values(response.content ?? {}).some(
      ({ schema }) => schema !== undefined && '$ref' in schema && schema.$ref === problem.schema.$ref,
    );
    if (isProblem) response.content = { 'application/problem+json': problem };
  }
  if (method !== 'post' || CHANGES_NOTHING in operation) return;
  operation.parameters = [
    ...(operation.parameters ?? []),
    {
      ...{ name: 'Idempotency-Key', in: 'header', required: false, schema: { type: 'string', maxLength: KEY_MAX } },
      description: 'Sent again within a day by the same caller, it changes nothing, and is answered as the first time.',
    },
  ];
}
