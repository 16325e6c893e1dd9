import { readFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { LineCounter, parseDocument, type Document, type Node } from 'yaml'
import { fault, isFault, messageOf, type Issue } from '../error/millrace-error.js'
import type { JobDeclaration } from '../job/job-options.js'
import { readModels, requireModel, type ModelsConfig } from '../job/models-config.js'
import { isMissing } from './load-declarations.js'

/** What a deployment says of models, beside its contexts. */
const FILE = 'models.yaml'

/**
 * Reads `models.yaml` of a folder of declarations.
 * @returns undefined: there is none
 * @throws MODELS_INVALID with a pointer, line and column for each issue; INPUT_UNREADABLE
 */
export async function loadModels(root: string): Promise<ModelsConfig | undefined> {
  const path = join(root, FILE)
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (error) {
    if (isMissing(error)) return undefined
    throw fault('INPUT_UNREADABLE', `${path}: ${messageOf(error)}`, { cause: error })
  }
  return parseModels(text, relative('', path))
}

/** @param file for messages @throws MODELS_INVALID */
export function parseModels(text: string, file: string): ModelsConfig {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, logLevel: 'error' })
  const at = (offset: number) => {
    const { line, col } = lines.linePos(offset)
    return { file, line: Math.max(1, line), column: Math.max(1, col) }
  }
  const wrong = document.errors.map(({ message, pos }): Issue => ({ detail: message, ...at(pos[0]) }))
  if (wrong.length > 0) throw fault('MODELS_INVALID', `${file}: ${wrong[0]?.detail}`, { issues: wrong })
  try {
    // a file with nothing in it says nothing
    return readModels(document.toJS() ?? {})
  } catch (error) {
    if (!isFault(error, 'MODELS_INVALID'))
      throw fault('MODELS_INVALID', `${file}: ${messageOf(error)}`, { cause: error })
    const issues = error.issues.map((issue) => ({ ...issue, ...at(offsetOf(document, issue.pointer ?? '')) }))
    throw fault('MODELS_INVALID', `${file}: ${error.detail}`, { issues, cause: error })
  }
}

/**
 * Every model of the jobs has to have a price and a class, where there are any: who begins with what nobody can pay or
 * limit finds it out by the bill.
 * @throws PRICE_MISSING, MODEL_CLASS_UNKNOWN naming the job
 */
export function requireModels(jobs: readonly JobDeclaration[], models: ModelsConfig | undefined): void {
  if (models === undefined) return
  for (const { name, model } of jobs)
    try {
      requireModel(models, model)
    } catch (error) {
      if (!isFault(error)) throw error
      throw fault(error.code, `job ${name}: ${error.detail}`, { cause: error })
    }
}

/** Where in the text the value of a JSON pointer begins, or the nearest around it. */
function offsetOf(document: Document, pointer: string): number {
  const path = pointer
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
  for (let length = path.length; length >= 0; length--) {
    const node = document.getIn(path.slice(0, length), true) as Node | undefined
    if (node?.range !== undefined && node.range !== null) return node.range[0]
  }
  return 0
}
