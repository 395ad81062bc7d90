/** Node -> the nodes it points at. Every target is a key as well. */
export type Graph = ReadonlyMap<string, readonly string[]>;

/**
 * Finds import cycles: at least one whenever there is any, not always all of them (mend one, look again).
 * @returns each as [a, b, ..., a]; [a, a] for a node that points at itself; empty exactly when there is no cycle
 */
export function findCycles(graph: Graph): string[][] {
  const settled = new Set<string>();
  const cycles: string[][] = [];
  for (const start of graph.keys()) {
    const cycle = settled.has(start) ? undefined : walk(graph, start, settled);
    if (cycle) cycles.push(cycle);
  }
  return cycles;
}

/** Every node on some path from `start`, `start` included when it is in the graph. */
export function reachableFrom(graph: Graph, start: string): string[] {
  const seen = new Set<string>(graph.has(start) ? [start] : []);
  for (const node of seen) for (const next of graph.get(node) ?? []) seen.add(next);
  return [...seen];
}

/** Depth first from `start`; stops at the first cycle. Settled nodes lead to no new one. */
function walk(graph: Graph, start: string, settled: Set<string>): string[] | undefined {
  const path: string[] = [];
  const visit = (node: string): string[] | undefined => {
    const at = path.indexOf(node);
    if (at >= 0) return [...path.slice(at), node];
    if (settled.has(node)) return undefined;
    path.push(node);
    for (const next of graph.get(node) ?? []) {
      const cycle = visit(next);
      if (cycle) {
        settled.add(node);
        return cycle;
      }
    }
    path.pop();
    settled.add(node);
    return undefined;
  };
  return visit(start);
}
