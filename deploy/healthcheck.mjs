/** Ends with 0 when the service in this container answers that it lives; for images that have no curl. */
const port = process.env.STAKEOUT_HTTP_PORT || process.env.HTTP_PORT || process.env.PORT || '8080';
// This very container: whose certificate it is does not matter.
const isTls = Boolean(process.env.STAKEOUT_HTTP_TLS_CERTIFICATE);
if (isTls) process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0';
const path = process.argv[2] ?? '/health/live';

try {
  const response = await fetch(`${isTls ? 'https' : 'http'}://127.0.0.1:${port}${path}`, {
    signal: AbortSignal.timeout(2_500),
  });
  if (!response.ok) {
    console.error(`${path} answered ${response.status}`);
    process.exitCode = 1;
  }
} catch (error) {
  console.error(`no answer from ${path} at port ${port}: ${error.cause?.message ?? error.message}`);
  process.exitCode = 1;
}
