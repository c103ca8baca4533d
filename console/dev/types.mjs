// Writes src/generated/contract.d.ts from the contract. With --check it only compares, and fails on a difference.
import { readFile, writeFile } from 'node:fs/promises';
import openapiTS, { astToString } from 'openapi-typescript';

const contract = new URL('../../contract/openapi.yaml', import.meta.url);
const target = new URL('../src/generated/contract.d.ts', import.meta.url);

export async function generateTypes() {
  const nodes = await openapiTS(contract, { alphabetize: true });
  return `// Generated from contract/openapi.yaml by \`npm run types\`; not written by hand.\n${astToString(nodes)}`;
}

if (process.argv[1] === new URL(import.meta.url).pathname) {
  const fresh = await generateTypes();
  if (process.argv.includes('--check')) {
    if ((await readFile(target, 'utf8')) !== fresh) {
      console.error('src/generated/contract.d.ts differs from the contract\n  mend: cd console && npm run types');
      process.exit(1);
    }
  } else {
    await writeFile(target, fresh);
  }
}
