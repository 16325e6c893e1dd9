import { createHash } from 'node:crypto'
import { relative } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Rule } from '../cep/rule/rule.js'
import { fault, isFault, messageOf } from '../error/millrace-error.js'
import { nearestName } from '../event/nearest-name.js'
import type { Registry } from '../event/registry.js'

/** Whether a rule file is code. */
export function isCode(path: string): boolean {
  return /\.(ts|js|mjs)$/.test(path)
}

/**
 * Loads a rule that is written in TypeScript. @param text of the file: with another, the rule is another
 * @throws DECLARATION_INVALID, RULE_INVALID when an event type has no contract, and errors of defineRule
 */
export async function loadCodeRule(path: string, text: string, registry: Registry | undefined): Promise<Rule> {
  const file = relative('', path)
  let module: Record<string, unknown>
  try {
    module = (await import(pathToFileURL(path).href)) as Record<string, unknown>
  } catch (error) {
    if (isFault(error)) throw fault(error.code, `${file}: ${error.detail}`, { issues: error.issues, cause: error })
    throw fault('DECLARATION_INVALID', `${file}: ${messageOf(error)}`, { cause: error })
  }
  const rule = module['default']
  if (!isRule(rule)) throw fault('DECLARATION_INVALID', `${file}: its default export is no rule (defineRule)`)
  const issues = [...rule.eventTypes, ...rule.outputTypes]
    .filter((type) => registry !== undefined && registry.get(type) === undefined)
    .map((type) => {
      const nearest = nearestName(type, registry?.types ?? [])
      return {
        file,
        line: 1,
        column: 1,
        detail: `no contract for ${type}${nearest === undefined ? '' : `; did you mean ${nearest}?`}`,
      }
    })
  if (issues.length > 0) throw fault('RULE_INVALID', `${file}: ${issues.length} to correct`, { issues })
  const hash = createHash('sha256')
    .update(JSON.stringify([rule.hash, text]))
    .digest('hex')
    .slice(0, 32)
  return { ...rule, hash, places: { file, fields: {} } }
}

function isRule(value: unknown): value is Rule {
  if (typeof value !== 'object' || value === null) return false
  const { name, executable, keyOf, emit } = value as Partial<Rule>
  return (
    typeof name === 'string' &&
    typeof executable === 'object' &&
    typeof keyOf === 'function' &&
    typeof emit === 'function'
  )
}
