// SPDX-License-Identifier: MIT
// A mesh that one turns, in the canvas of #viewer. Axes and angles are those of
// voxrecon/geometry/grid.py: y up, azimuth from +x towards +z. Another mesh keeps the camera.
"use strict";
window.voxrecon = (() => {
  const VERTEX = `#version 300 es
    in vec3 position, normal;
    uniform mat3 axes;
    uniform float aspect, distance;
    out vec3 place, turned;
    void main() {
      place = position;
      turned = normal;
      vec3 seen = axes * position;
      float depth = distance - seen.z, near = 0.1, far = 20.0;
      float z = ((far + near) * depth - 2.0 * far * near) / (far - near);
      gl_Position = vec4(3.4 * seen.xy / vec2(max(aspect, 1.0), max(1.0 / aspect, 1.0)), z, depth);
    }`;
  const FRAGMENT = `#version 300 es
    precision highp float;
    in vec3 place, turned;
    uniform mat3 axes;
    uniform float cells;  // 0 for a smooth surface
    out vec4 colour;
    void main() {
      vec3 face = normalize(cross(dFdx(place), dFdy(place)));
      vec3 n = cells > 0.0 ? face : normalize(turned);
      float eye = max(dot(transpose(axes) * vec3(-0.3, 0.4, 0.87), n), 0.0);
      float shade = 0.45 + 0.2 * (0.5 + 0.5 * n.y) + 0.45 * eye;
      if (cells > 0.0) {  // the edges of the cells
        vec3 at = (place + 0.5) * cells, width = fwidth(at);
        vec3 near = abs(fract(at + 0.5) - 0.5) / max(width, 1e-5);
        near += 1e3 * step(0.9, abs(n));  // not across the face
        float edge = min(min(near.x, near.y), near.z);
        shade *= 1.0 - 0.25 * (1.0 - smoothstep(0.3, 0.9, edge)) * step(length(width), 0.6);
      }
      colour = vec4(vec3(0.47, 0.64, 0.86) * shade, 1.0);
    }`;
  const HOME = { azimuth: 30, elevation: 25, distance: 2.5 };
  const view = { ...HOME };
  let canvas, gl, uniforms, count = 0, cells = 0, asked = 0, latest = null;

  function start() {
    canvas = document.querySelector("#viewer canvas");
    gl = canvas.getContext("webgl2", { antialias: true, preserveDrawingBuffer: true });
    if (!gl) {
      canvas.parentElement.textContent = "This browser shows no 3D (WebGL 2): download the files.";
      return;
    }
    prepare();
    listen();
    canvas.addEventListener("webglcontextlost", (event) => event.preventDefault());
    canvas.addEventListener("webglcontextrestored", () => { prepare(); if (latest) upload(latest); });
    new ResizeObserver(draw).observe(canvas);
  }

  function prepare() {
    const program = gl.createProgram();
    for (const [kind, text] of [[gl.VERTEX_SHADER, VERTEX], [gl.FRAGMENT_SHADER, FRAGMENT]]) {
      const shader = gl.createShader(kind);
      gl.shaderSource(shader, text);
      gl.compileShader(shader);
      gl.attachShader(program, shader);
    }
    ["position", "normal"].forEach((name, place) => gl.bindAttribLocation(program, place, name));
    gl.linkProgram(program);
    gl.useProgram(program);
    uniforms = Object.fromEntries(["axes", "aspect", "distance", "cells"].map(
      (name) => [name, gl.getUniformLocation(program, name)]));
    gl.enable(gl.DEPTH_TEST);
    for (const place of [0, 1]) {
      gl.bindBuffer(gl.ARRAY_BUFFER, gl.createBuffer());
      gl.enableVertexAttribArray(place);
      gl.vertexAttribPointer(place, 3, gl.FLOAT, false, 0, 0);
      uniforms[place] = gl.getParameter(gl.ARRAY_BUFFER_BINDING);
    }
    gl.bindBuffer(gl.ELEMENT_ARRAY_BUFFER, gl.createBuffer());
  }

  function draw() {
    if (!gl) return;
    const scale = window.devicePixelRatio || 1;
    canvas.width = Math.max(1, Math.round(canvas.clientWidth * scale));
    canvas.height = Math.max(1, Math.round(canvas.clientHeight * scale));
    gl.viewport(0, 0, canvas.width, canvas.height);
    gl.clearColor(0, 0, 0, 0);
    gl.clear(gl.COLOR_BUFFER_BIT | gl.DEPTH_BUFFER_BIT);
    if (!count) return;
    const a = (view.azimuth * Math.PI) / 180, e = (view.elevation * Math.PI) / 180;
    const [ca, sa, ce, se] = [Math.cos(a), Math.sin(a), Math.cos(e), Math.sin(e)];
    gl.uniformMatrix3fv(uniforms.axes, true,
      [sa, 0, -ca, -ca * se, ce, -sa * se, ca * ce, se, sa * ce]);
    gl.uniform1f(uniforms.aspect, canvas.width / canvas.height);
    gl.uniform1f(uniforms.distance, view.distance);
    gl.uniform1f(uniforms.cells, cells);
    gl.drawElements(gl.TRIANGLES, count, gl.UNSIGNED_INT, 0);
  }

  // Positions and triangles of a GLB file with one mesh, as trimesh writes them.
  function parse(buffer) {
    const data = new DataView(buffer), length = data.getUint32(12, true);
    const scene = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 20, length)));
    const read = (index, Type) => {
      const accessor = scene.accessors[index], part = scene.bufferViews[accessor.bufferView];
      const begin = 28 + length + (part.byteOffset || 0) + (accessor.byteOffset || 0);
      const size = accessor.count * { SCALAR: 1, VEC3: 3 }[accessor.type];
      return new Type(buffer.slice(begin, begin + size * Type.BYTES_PER_ELEMENT));
    };
    const part = scene.meshes[0].primitives[0];
    return { points: read(part.attributes.POSITION, Float32Array),
             faces: read(part.indices, Uint32Array) };
  }

  // Of each vertex the sum of its triangles' normals, which weighs them by area.
  function normals({ points, faces }) {
    const out = new Float32Array(points.length);
    for (let f = 0; f < faces.length; f += 3) {
      const [i, j, k] = [3 * faces[f], 3 * faces[f + 1], 3 * faces[f + 2]];
      const u = [0, 1, 2].map((axis) => points[j + axis] - points[i + axis]);
      const v = [0, 1, 2].map((axis) => points[k + axis] - points[i + axis]);
      for (let axis = 0; axis < 3; axis++) {
        const [b, c] = [(axis + 1) % 3, (axis + 2) % 3], n = u[b] * v[c] - u[c] * v[b];
        for (const corner of [i, j, k]) out[corner + axis] += n;
      }
    }
    return out;
  }

  function upload(mesh) {
    [mesh.points, normals(mesh)].forEach((values, place) => {
      gl.bindBuffer(gl.ARRAY_BUFFER, uniforms[place]);
      gl.bufferData(gl.ARRAY_BUFFER, values, gl.DYNAMIC_DRAW);
    });
    gl.bufferData(gl.ELEMENT_ARRAY_BUFFER, mesh.faces, gl.DYNAMIC_DRAW);
    count = mesh.faces.length;
    latest = mesh;
    draw();
  }

  function listen() {
    const fingers = new Map();
    const zoom = (factor) => { view.distance = Math.min(8, Math.max(1.2, view.distance * factor)); };
    const turn = (right, up) => {
      view.azimuth += right;
      view.elevation = Math.min(90, Math.max(-90, view.elevation + up));
    };
    const spread = () => {
      const [a, b] = [...fingers.values()];
      return Math.hypot(a.x - b.x, a.y - b.y);
    };
    canvas.addEventListener("pointerdown", (event) => {
      fingers.set(event.pointerId, { x: event.clientX, y: event.clientY });
      canvas.setPointerCapture(event.pointerId);
    });
    canvas.addEventListener("pointermove", (event) => {
      const last = fingers.get(event.pointerId);
      if (!last) return;
      const before = fingers.size === 2 && spread(), next = { x: event.clientX, y: event.clientY };
      fingers.set(event.pointerId, next);
      if (before) zoom(before / Math.max(spread(), 1));
      else turn((next.x - last.x) * 0.5, (next.y - last.y) * 0.5);
      draw();
    });
    for (const name of ["pointerup", "pointercancel"])
      canvas.addEventListener(name, (event) => fingers.delete(event.pointerId));
    canvas.addEventListener("wheel", (event) => {
      event.preventDefault();
      zoom(Math.exp(Math.sign(event.deltaY) * 0.1));
      draw();
    }, { passive: false });
    canvas.addEventListener("dblclick", () => { Object.assign(view, HOME); draw(); });
    canvas.addEventListener("keydown", (event) => {
      const step = { ArrowLeft: [-10, 0], ArrowRight: [10, 0], ArrowUp: [0, 10], ArrowDown: [0, -10] };
      if (!step[event.key]) return;
      event.preventDefault();
      turn(...step[event.key]);
      draw();
    });
  }

  // Show a GLB file, null for none; kind is "smooth" or "boxes".
  async function show(file, kind) {
    if (!canvas || !canvas.isConnected) start();
    if (!gl) return;
    const number = ++asked;
    if (!file) {
      count = 0;
      draw();
    } else {
      const mesh = parse(await (await fetch(file.url)).arrayBuffer());
      if (number !== asked) return; // a later one was asked for
      cells = kind === "boxes" ? Number(canvas.dataset.cells) : 0;
      upload(mesh);
    }
    canvas.dataset.shown = file ? file.url : "";
  }

  function save(file) {
    if (!file) return;
    const link = document.createElement("a");
    link.href = file.url;
    link.download = file.orig_name;
    link.click();
  }

  return { show, save };
})();
