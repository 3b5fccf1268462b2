using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [(name = "main", worker = .hash)],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "main")],
);
const hash :Workerd.Worker = (
  modules = [
    (name = "worker.js", esModule = embed "workerd/edge.js"),
    (name = "kernels.wasm", wasm = embed "node_modules/seqlik/dist/wasm/kernels.wasm"),
  ],
  compatibilityDate = "2026-01-01",
);
