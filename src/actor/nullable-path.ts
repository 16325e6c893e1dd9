/** What is read of a schema of zod 4, whose definitions are data. */
interface Schema {
  readonly def?: {
    readonly type?: string
    readonly innerType?: Schema
    readonly shape?: Readonly<Record<string, Schema>>
    readonly catchall?: Schema
    readonly element?: Schema
    readonly items?: readonly Schema[]
    readonly valueType?: Schema
    readonly options?: readonly Schema[]
    readonly left?: Schema
    readonly right?: Schema
    readonly in?: Schema
    readonly getter?: () => Schema
  }
  safeParse?(value: unknown): { readonly success: boolean }
}

/**
 * Whether a schema takes null at a path.
 * @returns unknown: it has no such path, or does not say
 */
export function acceptsNull(schema: unknown, path: readonly string[]): 'accepts' | 'refuses' | 'unknown' {
  let level: readonly Schema[] = [schema as Schema]
  for (const name of path) level = level.flatMap((one) => inside(one, name))
  if (level.length === 0) return 'unknown'
  return level.every((one) => one.safeParse?.(null).success === true) ? 'accepts' : 'refuses'
}

/** Every schema that a member of the name may have. */
function inside(schema: Schema | undefined, name: string): readonly Schema[] {
  const def = schema?.def
  if (def === undefined) return []
  switch (def.type) {
    case 'object': {
      const own = name === '*' ? Object.values(def.shape ?? {}) : [def.shape?.[name]]
      return [...own, ...(own[0] === undefined ? [def.catchall] : [])].filter((one) => one !== undefined)
    }
    case 'record':
      return def.valueType === undefined ? [] : [def.valueType]
    case 'array':
      return name === '*' && def.element !== undefined ? [def.element] : []
    case 'tuple':
      return name === '*' ? (def.items ?? []) : []
    case 'union':
      return (def.options ?? []).flatMap((one) => inside(one, name))
    case 'intersection':
      return [...inside(def.left, name), ...inside(def.right, name)]
    case 'lazy':
      return inside(def.getter?.(), name)
    case 'pipe':
      return inside(def.in, name)
    default:
      return inside(def.innerType, name) // optional, nullable, default, readonly, …
  }
}
