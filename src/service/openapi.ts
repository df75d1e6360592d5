import type { INestApplication } from '@nestjs/common';
import { DocumentBuilder, SwaggerModule } from '@nestjs/swagger';
import { packageVersion } from './version.js';

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
  SwaggerModule.setup('docs', app, SwaggerModule.createDocument(app, config), { jsonDocumentUrl: 'openapi.json' });
}
