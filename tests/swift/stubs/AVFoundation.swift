// What ScannerView.swift uses of AVFoundation, as Apple declares it, so that it is at least compiled where
// there is no iOS.
import Foundation
import UIKit

public struct AVMediaType: Sendable {
    public static let video = AVMediaType()
}

open class AVCaptureDevice {
    open class func `default`(for type: AVMediaType) -> AVCaptureDevice? { nil }
}

open class AVCaptureInput {}

open class AVCaptureDeviceInput: AVCaptureInput {
    public init(device: AVCaptureDevice) throws {}
}

open class AVCaptureOutput {
    public init() {}
}
open class AVCaptureConnection {}

open class AVMetadataObject {
    public struct ObjectType: Sendable {
        public static let qr = ObjectType()
    }
}

open class AVMetadataMachineReadableCodeObject: AVMetadataObject {
    open var stringValue: String? { nil }
}

public protocol AVCaptureMetadataOutputObjectsDelegate: AnyObject {
    func metadataOutput(
        _ output: AVCaptureMetadataOutput, didOutput objects: [AVMetadataObject],
        from connection: AVCaptureConnection)
}

open class AVCaptureMetadataOutput: AVCaptureOutput {
    open var metadataObjectTypes: [AVMetadataObject.ObjectType]!

    open func setMetadataObjectsDelegate(
        _ delegate: (any AVCaptureMetadataOutputObjectsDelegate)?, queue: DispatchQueue?
    ) {}
}

open class AVCaptureSession {
    public init() {}
    open func canAddInput(_ input: AVCaptureInput) -> Bool { false }
    open func canAddOutput(_ output: AVCaptureOutput) -> Bool { false }
    open func addInput(_ input: AVCaptureInput) {}
    open func addOutput(_ output: AVCaptureOutput) {}
    open func startRunning() {}
    open func stopRunning() {}
}

public struct AVLayerVideoGravity: Sendable {
    public static let resizeAspectFill = AVLayerVideoGravity()
}

open class AVCaptureVideoPreviewLayer: CALayer {
    open var session: AVCaptureSession?
    open var videoGravity = AVLayerVideoGravity.resizeAspectFill
}
