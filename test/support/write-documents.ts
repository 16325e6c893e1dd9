// `npm run docs`: writes what is generated in docs/ from what it is generated from.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { CATALOGUE } from '../../src/error/catalogue.ts'
import { renderErrors } from './errors-document.ts'
import { updateGuarantees } from './guarantees-document.ts'
import { filesUnder, readText, TOP } from './repository.ts'

const tests = filesUnder('test', /\.test\.ts$/)
const documents = {
  'docs/errors.md': renderErrors(CATALOGUE),
  'docs/guarantees.md': updateGuarantees(readText('docs/guarantees.md'), tests),
}
for (const [path, text] of Object.entries(documents)) {
  const changed = text !== readText(path)
  if (changed) writeFileSync(join(TOP, path), text)
  console.log(`${changed ? 'written  ' : 'unchanged'}  ${path}`)
}
