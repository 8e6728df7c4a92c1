#if canImport(UIKit) && canImport(AVFoundation)
    @preconcurrency import AVFoundation
    import SwiftUI
    import UIKit

    /// The camera, looking for a QR code. The app's Info.plist needs `NSCameraUsageDescription`.
    struct ScannerView: UIViewRepresentable {
        let onText: @MainActor (String) -> Void

        func makeUIView(context: Context) -> CameraView {
            CameraView(onText: onText)
        }

        func updateUIView(_ view: CameraView, context: Context) {}

        static func dismantleUIView(_ view: CameraView, coordinator: ()) {
            view.stop()
        }
    }

    final class CameraView: UIView, AVCaptureMetadataOutputObjectsDelegate {
        private let session = AVCaptureSession()
        private let queue = DispatchQueue(label: "camera")
        private let onText: @MainActor (String) -> Void

        init(onText: @escaping @MainActor (String) -> Void) {
            self.onText = onText
            super.init(frame: .zero)
            start()
        }

        @available(*, unavailable)
        required init?(coder: NSCoder) {
            fatalError("made in code only")
        }

        override class var layerClass: AnyClass { AVCaptureVideoPreviewLayer.self }

        private func start() {
            // Without a camera, or the user's leave, pasting is left.
            guard let camera = AVCaptureDevice.default(for: .video),
                let input = try? AVCaptureDeviceInput(device: camera)
            else { return }
            let output = AVCaptureMetadataOutput()
            guard session.canAddInput(input), session.canAddOutput(output) else { return }
            session.addInput(input)
            session.addOutput(output)
            output.setMetadataObjectsDelegate(self, queue: .main)
            output.metadataObjectTypes = [.qr]
            let preview = layer as? AVCaptureVideoPreviewLayer
            preview?.session = session
            preview?.videoGravity = .resizeAspectFill
            // Both block.
            queue.async { [session] in session.startRunning() }
        }

        func stop() {
            queue.async { [session] in session.stopRunning() }
        }

        nonisolated func metadataOutput(
            _ output: AVCaptureMetadataOutput, didOutput objects: [AVMetadataObject],
            from connection: AVCaptureConnection
        ) {
            let code = objects.first as? AVMetadataMachineReadableCodeObject
            guard let text = code?.stringValue else { return }
            // The delegate's queue is the main one.
            MainActor.assumeIsolated { onText(text) }
        }
    }
#endif
