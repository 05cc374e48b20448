// What of the package graphite 0.1.5 is used; it has no types.

declare module "graphite/lib/LazySocket.js" {
  interface LazySocket {
    destroy(): void;
  }
  const LazySocket: { createConnection(port: number, host: string): LazySocket };
  export default LazySocket;
}

declare module "graphite/lib/CarbonClient.js" {
  interface CarbonClient {
    end(): void;
  }
  const CarbonClient: new (properties: { socket: { destroy(): void } }) => CarbonClient;
  export default CarbonClient;
}

declare module "graphite/lib/GraphiteClient.js" {
  interface GraphiteClient {
    write(
      metrics: Readonly<Record<string, number>>,
      timestamp: number | undefined,
      callback: (error?: Error | null) => void,
    ): void;
  }
  const GraphiteClient: new (properties: { carbon: { end(): void } }) => GraphiteClient;
  export default GraphiteClient;
}
