import type { ASTNode } from '@marcbachmann/cel-js'
import { AGGREGATES, childrenOf, nodesOf, type AggregateName, type CelProblem } from './environment.js'
import { chainOf, type Chain } from './chain.js'
import { regexProblem } from './regex-problem.js'
import { EVENT_FIELDS, type Scope } from './scope.js'

/** One place where an expression reads events of a stage. */
export interface StageUse {
  readonly node: ASTNode
  readonly stage: string
  readonly name: AggregateName
  /** What is aggregated; null: the event itself. */
  readonly argument: ASTNode | null
}

export interface References {
  readonly uses: readonly StageUse[]
  readonly problems: readonly CelProblem[]
}

/** Finds what an expression reads of which stage, and what is wrong with the names in it. */
export function referencesOf(ast: ASTNode, scope: Scope): References {
  const finder = new Finder(scope)
  finder.visit(ast)
  return finder
}

class Finder implements References {
  readonly uses: StageUse[] = []
  readonly problems: CelProblem[] = []
  readonly #scope: Scope

  constructor(scope: Scope) {
    this.#scope = scope
  }

  visit(node: ASTNode): void {
    const chain = chainOf(node)
    if (chain !== null) this.#chain(node, chain)
    else if (node.op === 'id') this.#name(node, node.args)
    else if (node.op === 'call' && isAggregate(node.args[0])) this.#aggregate(node, node.args[0], node.args[1])
    else {
      if (node.op === 'rcall' && node.args[0] === 'matches') this.#matches(node.args[2][0])
      for (const child of childrenOf(node)) this.visit(child)
    }
  }

  /** `data.a.b`, `probe.data.a`, `first(probe).data.a` */
  #chain(node: ASTNode, { root, path }: Chain): void {
    const { stages } = this.#scope
    if (root.op === 'call') {
      this.visit(root)
      const of = root.args[1][0]
      if (of?.op === 'id') this.#field(node, of.args, path)
    } else if (root.op === 'id' && stages.has(root.args)) {
      this.#direct(root, root.args)
      this.#field(node, root.args, path)
    } else if (root.op === 'id' && root.args === 'data') {
      const detail = this.#scope.fieldProblem(null, ['data', ...path].join('.'))
      if (detail !== undefined) this.#problem(node, detail, node.pos)
    }
  }

  #field(node: ASTNode, stage: string, path: readonly string[]): void {
    const [first = ''] = path
    if (!EVENT_FIELDS.includes(first))
      this.#problem(node, `${stage}.${first}: an event has ${EVENT_FIELDS.join(', ')}`, node.pos)
    else if (first === 'data') {
      const detail = this.#scope.fieldProblem(stage, path.join('.'))
      if (detail !== undefined) this.#problem(node, detail, node.pos)
    }
  }

  #direct(node: ASTNode, stage: string): void {
    const { many = false, own = false } = this.#scope.stages.get(stage) ?? {}
    if (many)
      this.#problem(
        node,
        `${stage} may hold several events: write last(${stage}), first(${stage}), sum(${stage}.data.…) or another aggregate`,
      )
    else if (own) this.#problem(node, `${stage} is the stage of this condition: write data instead of ${stage}.data`)
    else this.uses.push({ node, stage, name: 'last', argument: null })
  }

  #name(node: ASTNode, name: string): void {
    if (this.#scope.stages.has(name)) this.#problem(node, `${name} is a stage: write ${name}.data.… or count(${name})`)
  }

  #aggregate(node: ASTNode, name: AggregateName, args: readonly ASTNode[]): void {
    const [argument] = args
    const named = argument === undefined ? [] : [...nodesOf(argument)].filter((n) => n.op === 'id')
    const stages = new Set(named.map((n) => String(n.args)))
    const [stage] = stages
    if (argument === undefined || args.length !== 1 || stages.size !== 1 || stage === undefined)
      this.#problem(node, `${name} takes one thing: a stage, or a field of a stage such as ${name}(probe.data.amount)`)
    else if (!this.#scope.stages.has(stage))
      this.#problem(node, `${name} is about the events of an earlier stage, and ${stage} is none`)
    else if (argument.op === 'id') {
      if (name === 'count' || name === 'first' || name === 'last') this.uses.push({ node, stage, name, argument: null })
      else this.#problem(node, `${name} needs a field: ${name}(${stage}.data.…)`)
    } else if (name === 'count') this.#problem(node, `count takes a stage: count(${stage})`)
    else {
      for (const inner of nodesOf(argument)) {
        if (inner.op === 'rcall' && inner.args[0] === 'matches') this.#matches(inner.args[2][0])
        const chain = chainOf(inner)
        if (chain !== null && isOutermost(argument, inner)) this.#field(inner, stage, chain.path)
      }
      this.uses.push({ node, stage, name, argument })
    }
  }

  #matches(pattern: ASTNode | undefined): void {
    if (pattern === undefined) return
    if (pattern.op !== 'value' || typeof pattern.args !== 'string')
      this.#problem(pattern, 'matches takes a regular expression in quotes')
    else {
      const detail = regexProblem(pattern.args)
      if (detail !== undefined) this.#problem(pattern, detail)
    }
  }

  #problem(node: ASTNode, detail: string, at = node.start): void {
    this.problems.push({ detail, at })
  }
}

function isOutermost(within: ASTNode, chain: ASTNode): boolean {
  return ![...nodesOf(within)].some((node) => node.op === '.' && node.args[0] === chain)
}

function isAggregate(name: string): name is AggregateName {
  return (AGGREGATES as readonly string[]).includes(name)
}
